namespace Mcp.Guard.Isolation;

/// <summary>Refuses environment variables that would make a program in between (setpriv, docker) load the server's code outside the box.</summary>
internal static class LoaderVariables
{
    private static readonly string[] s_names = ["GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH", "NLSPATH"];

    public static bool Is(string name) =>
        name.StartsWith("LD_", StringComparison.Ordinal) || name.StartsWith("DYLD_", StringComparison.Ordinal) || s_names.Contains(name, StringComparer.Ordinal);

    public static void Refuse(IsolationOptions options, string why)
    {
        foreach (IsolationVariable variable in options.Environment)
        {
            if (Is(variable.Name))
            {
                throw new IsolationException(
                    options.Server,
                    IsolationFault.InvalidOptions,
                    $"its environment sets {variable.Name}, and {why}",
                    "Take the variable out, or choose isolation.mode \"bubblewrap\", where it is set only inside the box");
            }
        }
    }
}
