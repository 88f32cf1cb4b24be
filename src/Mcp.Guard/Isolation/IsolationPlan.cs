using System.Text;

namespace Mcp.Guard.Isolation;

/// <summary>Exactly what is started for one server, and which controls are then in force. Made without starting anything, so that it can be reviewed.</summary>
internal sealed record IsolationPlan
{
    public required string Server { get; init; }

    public required string InstanceId { get; init; }

    public required IsolationMode Mode { get; init; }

    /// <summary>The program the guard starts: the box's, or the server's own where there is no box.</summary>
    public required string Executable { get; init; }

    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The whole environment of <see cref="Executable"/>.</summary>
    public required IReadOnlyList<IsolationVariable> Environment { get; init; }

    /// <summary>The environment that the server sees inside its box.</summary>
    public required IReadOnlyList<IsolationVariable> ServerEnvironment { get; init; }

    /// <summary>Folder in which <see cref="Executable"/> starts; null is a new private folder, removed afterwards.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>User and group that own the private folder where they are not the host's; null otherwise.</summary>
    public JailUser? FolderOwner { get; init; }

    /// <summary>What is handed to bwrap by descriptors; null in the other modes.</summary>
    public JailHandover? Handover { get; init; }

    /// <summary>What removes left-overs after the program has ended (container mode); null otherwise.</summary>
    public PlannedCommand? CleanUp { get; init; }

    /// <summary>The cgroup that holds the server's processes; null where there is none.</summary>
    public CgroupPlan? Cgroup { get; init; }

    /// <summary>Bytes that the guard's own watch holds the box to, where no cgroup does; null where there is nothing to watch.</summary>
    public long? WatchedMemory { get; init; }

    /// <summary>Every control, in force or not.</summary>
    public required IReadOnlyList<IsolationControlStatus> Controls { get; init; }

    /// <summary>The plan as text: command line, environment, files, controls. Tells names of secrets, never their values.</summary>
    public string Describe()
    {
        var text = new StringBuilder();
        text.Append("server: ").Append(Server).Append('\n');
        text.Append("mode: ").Append(ModeName(Mode)).Append('\n');
        text.Append("runs:\n  ").Append(Printable.Quote(Executable)).Append('\n');
        foreach (string argument in Arguments)
        {
            text.Append("    ").Append(Printable.Quote(argument)).Append('\n');
        }

        text.Append("starts in: ").Append(WorkingDirectory is null ? "a private folder" : Printable.Quote(WorkingDirectory)).Append('\n');
        AppendEnvironment(text, "environment of the program", Environment);
        if (!ReferenceEquals(Environment, ServerEnvironment))
        {
            AppendEnvironment(text, "environment of the server", ServerEnvironment);
        }

        AppendHandover(text);
        if (CleanUp is not null)
        {
            text.Append("afterwards:\n  ").Append(Printable.Quote(CleanUp.Executable)).Append('\n');
            foreach (string argument in CleanUp.Arguments)
            {
                text.Append("    ").Append(Printable.Quote(argument)).Append('\n');
            }
        }

        AppendControls(text, "in force", inForce: true);
        AppendControls(text, "not in force", inForce: false);
        return text.ToString();
    }

    private static string ModeName(IsolationMode mode) => mode switch
    {
        IsolationMode.Bubblewrap => "bubblewrap",
        IsolationMode.Container => "container",
        IsolationMode.None => "none",
        _ => "unset",
    };

    private static void AppendEnvironment(StringBuilder text, string title, IReadOnlyList<IsolationVariable> variables)
    {
        text.Append(title).Append(variables.Count == 0 ? ": empty\n" : ":\n");
        foreach (IsolationVariable variable in variables)
        {
            text.Append("  ").Append(variable.Name).Append('=').Append(variable.Secret ? "(secret)" : Printable.Quote(variable.Value)).Append('\n');
        }
    }

    private void AppendHandover(StringBuilder text)
    {
        if (Handover is null)
        {
            return;
        }

        text.Append("descriptors:\n");
        text.Append("  ").Append(JailHandover.ArgumentsDescriptor).Append(" the environment of the server\n");
        text.Append("  ").Append(JailHandover.FilterDescriptor).Append(" seccomp filter, ").Append(Handover.Filter.Length / 8).Append(" instructions\n");
        text.Append("  ").Append(JailHandover.InformationDescriptor).Append(" answer of the box\n");
        int number = JailHandover.FirstFileDescriptor;
        foreach (ReadOnlyMemory<byte> file in Handover.Files)
        {
            text.Append("  ").Append(number++).Append(" made file, ").Append(file.Length).Append(" bytes\n");
        }

        foreach (BindMount mount in Handover.Mounts)
        {
            text.Append("  ").Append(number++).Append(mount.Writable ? " writable " : " read-only ").Append(Printable.Quote(mount.Source)).Append('\n');
        }
    }

    private void AppendControls(StringBuilder text, string title, bool inForce)
    {
        text.Append(title).Append(":\n");
        foreach (IsolationControlStatus control in Controls)
        {
            if (control.InForce == inForce)
            {
                text.Append("  ").Append(control.Control).Append(": ").Append(control.Detail).Append('\n');
            }
        }
    }
}
