namespace Mcp.Guard.Isolation;

/// <summary>Refuses options that no mode can carry out: names, numbers and paths that are malformed or would mean something else to a program in between.</summary>
internal static class OptionRules
{
    public static void Check(IsolationOptions options, IsolationHost host)
    {
        Require(options, options.InstanceId.Length is > 0 and <= 64 && options.InstanceId.All(static c => char.IsAsciiLetterOrDigit(c) || c == '-'), "the instance id is not 1 to 64 letters, digits and hyphens");
        Require(options, IsAbsolute(options.Executable, options, host), $"'{options.Executable}' is not an absolute path");
        Require(options, options.Arguments.All(NoZero), "an argument holds a zero character");
        Require(options, options.Memory is null or >= 1 << 20, "memory is below 1 MiB");
        Require(options, options.Cpus is null or (> 0 and <= 4096), "cpus is not above 0");
        Require(options, options.Processes is null or > 0, "processes is not above 0");
        Require(options, options.OpenFiles is null or >= 16, "openFiles is below 16");
        Require(options, options.FileSize is null or >= 0, "fileSize is negative");
        Require(options, options.Temp >= 0, "temp is negative");
        Require(options, Enum.IsDefined(options.Network) && Enum.IsDefined(options.Preset), "network or preset is not a known value");
        Require(options, options.User is null || JailUser.TryParse(options.User, out _), "user is not uid or uid:gid in digits");
        Require(options, options.WorkingDirectory is null || IsAbsolute(options.WorkingDirectory, options, host), "workingDirectory is not an absolute path");
        foreach (string path in options.Readable.Concat(options.Writable).Concat(options.GuardPaths))
        {
            Require(options, IsAbsolute(path, options, host), $"'{path}' is not an absolute path");
        }

        foreach (IsolationVariable variable in options.Environment)
        {
            Require(options, variable.Name.Length > 0 && NoZero(variable.Name) && !variable.Name.Contains('=', StringComparison.Ordinal), $"'{variable.Name}' is not a name of an environment variable");
            Require(options, NoZero(variable.Value), $"the value of {variable.Name} holds a zero character");
        }

        Require(options, options.Environment.DistinctBy(static variable => variable.Name, StringComparer.Ordinal).Count() == options.Environment.Count, "an environment variable is given twice");
        foreach (string control in options.Required)
        {
            Require(options, IsolationControls.All.Contains(control), $"'{control}' is not a control; there are: {string.Join(", ", IsolationControls.All.Order(StringComparer.Ordinal))}");
        }
    }

    private static bool IsAbsolute(string path, IsolationOptions options, IsolationHost host) =>
        NoZero(path) && (options.Mode == IsolationMode.Container || !host.IsWindows ? path.StartsWith('/') || (host.IsWindows && Path.IsPathFullyQualified(path)) : Path.IsPathFullyQualified(path));

    private static bool NoZero(string text) => !text.Contains('\0', StringComparison.Ordinal);

    private static void Require(IsolationOptions options, bool holds, string problem)
    {
        if (!holds)
        {
            throw new IsolationException(options.Server, IsolationFault.InvalidOptions, problem, "Correct the server's isolation or command in the policy");
        }
    }
}
