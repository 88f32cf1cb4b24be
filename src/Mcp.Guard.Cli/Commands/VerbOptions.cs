using System.CommandLine;

namespace Mcp.Guard.Cli.Commands;

/// <summary>Options that several verbs have.</summary>
internal static class VerbOptions
{
    /// <summary>How long a server may take to start and list, 1 to 3600 s, by default 60.</summary>
    public static Option<int> Timeout()
    {
        var timeout = new Option<int>("--timeout") { Description = "How long a server may take to start and list, in seconds.", HelpName = "SECONDS", DefaultValueFactory = _ => 60 };
        timeout.Validators.Add(static result =>
        {
            if (result.Tokens.Count > 0
                && (!int.TryParse(result.Tokens[0].Value, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int seconds) || seconds is < 1 or > 3600))
            {
                result.AddError("--timeout is a number of seconds from 1 to 3600.");
            }
        });
        return timeout;
    }
}
