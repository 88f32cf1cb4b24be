using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Mcp.Guard.Docs.Tests;

/// <summary>Compiles code of documents: whole programs as they stand, statements inside a method that has what a host has at hand, types beside it.</summary>
internal static class SnippetCompiler
{
    private const string Usings = """
        using System; using System.Collections.Generic; using System.IO; using System.Linq; using System.Net.Http; using System.Text.Json; using System.Threading; using System.Threading.Tasks;
        using Mcp.Guard; using Mcp.Guard.Testing; using Microsoft.AspNetCore.Builder; using Microsoft.Extensions.AI; using Microsoft.Extensions.DependencyInjection;
        using Microsoft.Extensions.Hosting; using Microsoft.Extensions.Logging; using ModelContextProtocol; using ModelContextProtocol.Client; using ModelContextProtocol.Protocol; using ModelContextProtocol.Server;

        """;

    /// <summary>What the documents' hosts have: variables of statements, and the types that are the reader's own.</summary>
    private const string Surroundings = """
        sealed class OwnTools { [McpServerTool] public static string Greet() => "hello"; }
        sealed class SiemSink(string address) : IAuditSink { public string Address => address; public ValueTask WriteAsync(AuditRecord record, CancellationToken ct) => default; }
        sealed class Window { public Task<bool> AskAsync(string tool, string server, string arguments, IReadOnlyList<string> reasons, CancellationToken ct) => Task.FromResult(false); }
        sealed class DlpStage : IGuardStage<GuardRequestContext> { public string Name => "dlp"; public ValueTask<GuardDecision> EvaluateAsync(GuardRequestContext context, CancellationToken ct) => new(GuardDecision.Continue); }

        """;

    private const string Parameters =
        "HostApplicationBuilder builder, IServiceCollection services, GuardPolicyBuilder policy, IMcpGuard guard, IChatClient model, McpClient mcpClient, IAuditCheckpointSink remote, " +
        "Uri url, Uri authorizationUrl, ModelContextProtocol.Authentication.ClientOAuthOptions oauth, string project, CancellationToken ct";

    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(static file => file.EndsWith(".dll", StringComparison.Ordinal)).Select(static file => MetadataReference.CreateFromFile(file)),
    ];

    /// <summary>Compiles a block.</summary>
    /// <param name="fences">A block, or several that are one program.</param>
    /// <returns>The errors, with their line in the document, and the assembly where there are none.</returns>
    public static (IReadOnlyList<string> Errors, byte[]? Assembly) Compile(params Fence[] fences)
    {
        string text = string.Join('\n', fences.Select(static fence => fence.Text));
        var options = new CSharpParseOptions(LanguageVersion.Preview);
        CompilationUnitSyntax parsed = (CompilationUnitSyntax)CSharpSyntaxTree.ParseText(text, options).GetRoot();
        bool isProgram = parsed.Usings.Count > 0;
        bool isType = parsed.Members.Count > 0 && parsed.Members.All(static member => member is BaseTypeDeclarationSyntax);
        (string head, string tail) = isProgram ? (string.Empty, string.Empty)
            : isType ? (Usings, Surroundings)
            : (Usings + "static class Program { static async Task<object?> Snippet(" + Parameters + ") { await Task.CompletedTask;\n", "\nreturn null; } }\n" + Surroundings);
        const string Implicit = "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading; global using System.Threading.Tasks;";
        var compilation = CSharpCompilation.Create(
            "snippet",
            [CSharpSyntaxTree.ParseText(head + text + tail, options), CSharpSyntaxTree.ParseText(Implicit, options)],
            References,
            new CSharpCompilationOptions(isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        int before = head.Count(static c => c == '\n');
        using var assembly = new MemoryStream();
        string[] errors =
        [
            .. compilation.Emit(assembly).Diagnostics
                .Where(static item => item.Severity == DiagnosticSeverity.Error)
                .Select(item => $"{fences[0].Document}:{fences[0].Line + item.Location.GetLineSpan().StartLinePosition.Line - before}: {item.GetMessage(System.Globalization.CultureInfo.InvariantCulture)}"),
        ];
        return (errors, errors.Length == 0 ? assembly.ToArray() : null);
    }
}
