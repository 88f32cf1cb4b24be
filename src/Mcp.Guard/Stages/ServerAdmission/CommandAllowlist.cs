using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// The stdio server commands that a policy permits: exact command, exact arguments, listed variables. The rules S1 to S4 are described in
/// docs/server-admission.md.
/// </summary>
internal sealed class CommandAllowlist(IReadOnlyList<CommandEntry> entries)
{
    /// <summary>Judges a command by its text; the resolver then finds the file. Never throws.</summary>
    public CommandVerdict Check(
        string command, IReadOnlyList<string> arguments, IReadOnlyList<KeyValuePair<string, string>> environment, PathFlavor flavor)
    {
        if (HasNul(command, arguments, environment))
        {
            return CommandVerdict.Deny(CommandDenial.Nul);
        }

        if (IsBatchFile(command))
        {
            return CommandVerdict.Deny(CommandDenial.BatchFile);
        }

        if (flavor == PathFlavor.Windows && IsCommandProcessor(command))
        {
            return CommandVerdict.Deny(CommandDenial.CommandProcessor);
        }

        foreach ((string name, _) in environment)
        {
            if (name.Length == 0 || name.Contains('=', StringComparison.Ordinal))
            {
                return CommandVerdict.Deny(CommandDenial.VariableName);
            }

            if (EnvironmentRules.IsForbidden(name))
            {
                return CommandVerdict.Deny(CommandDenial.VariableForbidden);
            }
        }

        CommandDenial denial = CommandDenial.NotListed;
        foreach (CommandEntry entry in entries)
        {
            if (!IsSameCommand(entry.Command, command, flavor))
            {
                continue;
            }

            if (!AreSameArguments(entry.Arguments, arguments))
            {
                denial = denial == CommandDenial.VariableNotListed ? denial : CommandDenial.ArgumentsNotListed;
                continue;
            }

            if (!AreListed(entry.Variables, environment, flavor))
            {
                denial = CommandDenial.VariableNotListed;
                continue;
            }

            return CommandVerdict.Allow(entry);
        }

        return CommandVerdict.Deny(denial);
    }

    /// <summary>True for .bat and .cmd in the spellings that Windows starts as such.</summary>
    public static bool IsBatchFile(ReadOnlySpan<char> command)
    {
        ReadOnlySpan<char> name = command.TrimEnd(". \"");
        int stream = name.IndexOf("::", StringComparison.Ordinal);
        name = stream < 0 ? name : name[..stream].TrimEnd(". ");
        return name.EndsWith(".bat", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".cmd", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>True for cmd and command.com, however they are spelled.</summary>
    public static bool IsCommandProcessor(ReadOnlySpan<char> command)
    {
        ReadOnlySpan<char> name = command[(command.LastIndexOfAny('\\', '/') + 1)..].TrimEnd(". ");
        return name.Equals("cmd", StringComparison.OrdinalIgnoreCase) || name.Equals("cmd.exe", StringComparison.OrdinalIgnoreCase)
            || name.Equals("command.com", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>On Windows case makes no difference between two commands, nor between two variables.</summary>
    private static bool IsSameCommand(string listed, string command, PathFlavor flavor) =>
        command.Length > 0 && string.Equals(listed, command, flavor == PathFlavor.Windows ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);

    private static bool AreSameArguments(IReadOnlyList<CommandArgument> listed, IReadOnlyList<string> arguments)
    {
        if (listed.Count != arguments.Count)
        {
            return false;
        }

        for (int i = 0; i < arguments.Count; i++)
        {
            if (!string.Equals(listed[i].Text, arguments[i], StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    private static bool AreListed(
        IReadOnlyList<string> listed, IReadOnlyList<KeyValuePair<string, string>> environment, PathFlavor flavor)
    {
        StringComparer comparer = flavor == PathFlavor.Windows ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
        foreach ((string name, _) in environment)
        {
            if (!listed.Contains(name, comparer))
            {
                return false;
            }
        }

        return true;
    }

    private static bool HasNul(string command, IReadOnlyList<string> arguments, IReadOnlyList<KeyValuePair<string, string>> environment)
    {
        if (command.Contains('\0', StringComparison.Ordinal))
        {
            return true;
        }

        foreach (string argument in arguments)
        {
            if (argument.Contains('\0', StringComparison.Ordinal))
            {
                return true;
            }
        }

        foreach ((string name, string value) in environment)
        {
            if (name.Contains('\0', StringComparison.Ordinal) || value.Contains('\0', StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}
