using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Packages;

/// <summary>Runs a registry's client (npm, dotnet) to its end, in the folder given, without input. The administrator who installs runs it, with their own settings.</summary>
internal static class PackageClient
{
    private const int MaxOutput = 8 * 1024;

    /// <returns>The end of what it wrote to standard output.</returns>
    /// <exception cref="PackageException">It is not installed, failed, or took too long.</exception>
    public static async Task<string> RunAsync(string client, IReadOnlyList<string> arguments, string folder, PackageInstallerOptions options, CancellationToken ct)
    {
        var resolver = new CommandResolver(Environment.GetEnvironmentVariable("PATH"), [folder]);
        if (!resolver.TryResolve(new CommandEntry(client, [], []), out ResolvedCommand? command, out CommandDenial denial))
        {
            throw new PackageException($"'{client}' cannot be used: {CommandDenials.Describe(denial)}. Install it where only administrators write");
        }

        var start = new ProcessStartInfo(command!.StartPath, [.. command.LeadingArguments, .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";

        // npm waits 10 and then 60 seconds before it tries again where a registry does not answer; a person waits here. Who has set either in the environment keeps
        // theirs, and gets no half of ours: npm ends where the shorter wait is the longer one. It reads such names in any case.
        if (!start.Environment.Keys.Any(static name => name.StartsWith("npm_config_fetch_retry_", StringComparison.OrdinalIgnoreCase)))
        {
            start.Environment["npm_config_fetch_retry_mintimeout"] = "1000";
            start.Environment["npm_config_fetch_retry_maxtimeout"] = "5000";
        }

        using var process = new Process { StartInfo = start };
        try
        {
#pragma warning disable RS0030 // The package client is the guard's own tool, not a server: started on a person's command, by resolved path, never during a call.
            process.Start();
#pragma warning restore RS0030
        }
        catch (Win32Exception fault)
        {
            throw new PackageException($"'{client}' could not be started: {fault.Message}");
        }

        using var deadline = new CancellationTokenSource(options.Timeout, options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        try
        {
            process.StandardInput.Close();
            Task<string> output = TailAsync(process.StandardOutput, both.Token);
            Task<string> errors = TailAsync(process.StandardError, both.Token);
            await process.WaitForExitAsync(both.Token).ConfigureAwait(false);
            string answer = await output.ConfigureAwait(false);
            string said = string.Join('\n', $"{answer}\n{await errors.ConfigureAwait(false)}".Trim().Split('\n').Where(static line => !IsStackFrame(line)));
            return process.ExitCode == 0 ? answer : throw new PackageException($"'{client} {arguments[0]}' failed with exit code {process.ExitCode}: {said}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            ct.ThrowIfCancellationRequested();
            throw new PackageException($"'{client} {arguments[0]}' took longer than {options.Timeout}");
        }
    }

    /// <summary>A line of the client's own stack trace, which tells a person nothing.</summary>
    private static bool IsStackFrame(string line)
    {
        ReadOnlySpan<char> text = line.AsSpan().TrimStart();
        text = text.StartsWith("npm error", StringComparison.Ordinal) ? text["npm error".Length..].TrimStart() : text;
        return text.StartsWith("at ", StringComparison.Ordinal) && (text.TrimEnd().EndsWith(')') || text.Contains("node:", StringComparison.Ordinal) || text.Contains(":line ", StringComparison.Ordinal));
    }

    /// <summary>The end of what a stream says: the reason of a failure stands there.</summary>
    private static async Task<string> TailAsync(StreamReader reader, CancellationToken ct)
    {
        var tail = new StringBuilder();
        char[] buffer = new char[4096];
        for (int read; (read = await reader.ReadAsync(buffer, ct).ConfigureAwait(false)) > 0;)
        {
            tail.Append(buffer, 0, read);
            if (tail.Length > MaxOutput)
            {
                tail.Remove(0, tail.Length - MaxOutput);
            }
        }

        return tail.ToString();
    }
}
