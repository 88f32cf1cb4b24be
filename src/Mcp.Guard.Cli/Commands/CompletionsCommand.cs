using System.CommandLine;
using Mcp.Guard.Cli.Terminal;

namespace Mcp.Guard.Cli.Commands;

/// <summary><c>mcp-guard completions SHELL</c>: a script that completes verbs and options. The shell asks the command itself (<c>[suggest]</c>), so that it never grows stale.</summary>
internal static class CompletionsCommand
{
    private const string Bash = """
        # mcp-guard completions for bash: eval "$(mcp-guard completions bash)"
        _mcp_guard() {
          local line="${COMP_LINE:0:COMP_POINT}"
          local rest="${line#* }"
          [ "$rest" = "$line" ] && rest=""
          local IFS=$'\n'
          COMPREPLY=( $(compgen -W "$(mcp-guard "[suggest:${#rest}]" "$rest" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}") )
        }
        complete -o default -F _mcp_guard mcp-guard

        """;

    private const string Zsh = """
        #compdef mcp-guard
        # mcp-guard completions for zsh: eval "$(mcp-guard completions zsh)" after compinit
        _mcp_guard() {
          local -a found
          local line="${(j: :)words[2,CURRENT]}"
          found=("${(@f)$(mcp-guard "[suggest:${#line}]" "$line" 2>/dev/null)}")
          found=("${(@)found:#}")
          (( ${#found} )) && compadd -a found || _files
        }
        compdef _mcp_guard mcp-guard

        """;

    private const string Pwsh = """
        # mcp-guard completions for PowerShell: mcp-guard completions pwsh | Out-String | Invoke-Expression
        Register-ArgumentCompleter -Native -CommandName mcp-guard -ScriptBlock {
          param($word, $ast, $cursor)
          $line = $ast.ToString()
          if ($line.Length -lt $cursor) { $line = $line.PadRight($cursor) }
          $line = $line.Substring(0, $cursor)
          $at = $line.IndexOf(' ')
          $rest = if ($at -lt 0) { '' } else { $line.Substring($at + 1) }
          mcp-guard "[suggest:$($rest.Length)]" $rest 2>$null | Where-Object { $_ -like "$word*" } | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
          }
        }

        """;

    public static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or pwsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "pwsh");
        var command = new Verb(
            "completions",
            "Writes a script that completes verbs and options in a shell.",
            """eval "$(mcp-guard completions bash)" """.TrimEnd(),
            "mcp-guard completions pwsh | Out-String | Invoke-Expression")
        {
            shell,
        };
        command.Runs((parsed, terminal, _) =>
        {
            string script = parsed.GetValue(shell) switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                _ => Pwsh,
            };
            script = script.ReplaceLineEndings("\n");
            terminal.Text(script);
            terminal.Json(json => json.WriteString("script", script));
            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }
}
