using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.Roots;

/// <summary>Finds the paths among the arguments of a call and judges each against the roots.</summary>
internal static class PathArgumentCheck
{
    private static readonly PathArgument NotJudged = new(string.Empty, PathVerdict.Deny(PathDenial.NotJudged), IsName: false);

    /// <summary>
    /// Judges all arguments; the first denial ends it and is the result. Null where every path is allowed. Nothing is allocated for arguments
    /// that hold no path.
    /// </summary>
    /// <param name="arguments">The arguments of the call.</param>
    /// <param name="rules">Which of them are paths.</param>
    /// <param name="roots">The server's roots.</param>
    /// <param name="baseDirectory">Where relative paths start; null is the first root.</param>
    /// <param name="writes">True for a tool that is not read-only by policy: a root that permits reading only denies it.</param>
    /// <param name="found">Receives every path found, for the audit and for rewriting; null where neither is wanted.</param>
    /// <param name="own">The guard's own files, which no path may name; null where there are none.</param>
    public static PathArgument? FindDenied(
        JsonElement arguments, PathArgumentRules rules, RootSet roots, string? baseDirectory, bool writes, List<PathArgument>? found,
        ProtectedPaths? own = null)
    {
        var visitor = new Visitor(rules, roots, baseDirectory, writes, found, own);
        return JsonStringWalker.TryWalk(arguments, ref visitor) ? visitor.Denied : NotJudged;
    }

    /// <summary>The same for the arguments of a request that was read; those that it does not have name nothing.</summary>
    public static PathArgument? FindDenied(
        RequestPayload parameters, PathArgumentRules rules, RootSet roots, string? baseDirectory, bool writes, List<PathArgument>? found, ProtectedPaths? own)
    {
        var visitor = new Visitor(rules, roots, baseDirectory, writes, found, own);
        return parameters.TryWalkArguments(ref visitor) ? visitor.Denied : NotJudged;
    }

    /// <summary>Writes arguments with each found path replaced by its normal form.</summary>
    public static void WriteRewritten(JsonElement arguments, IReadOnlyList<PathArgument> found, Utf8JsonWriter output)
    {
        var replacements = new Dictionary<string, string>(found.Count, StringComparer.Ordinal);
        foreach (PathArgument argument in found)
        {
            if (!argument.IsName && argument.Verdict.Normalized is { } normalized)
            {
                replacements[argument.Pointer] = normalized;
            }
        }

        Write(arguments, string.Empty, 0, replacements, output);
    }

    private static void Write(JsonElement value, string pointer, int depth, Dictionary<string, string> replacements, Utf8JsonWriter output)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when depth < JsonStringWalker.MaxDepth:
                output.WriteStartObject();
                foreach (JsonProperty member in value.EnumerateObject())
                {
                    string name = JsonText.GetName(member);
                    output.WritePropertyName(name);
                    string escaped = name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
                    Write(member.Value, $"{pointer}/{escaped}", depth + 1, replacements, output);
                }

                output.WriteEndObject();
                break;

            case JsonValueKind.Array when depth < JsonStringWalker.MaxDepth:
                output.WriteStartArray();
                int index = 0;
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Write(item, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{pointer}/{index++}"), depth + 1, replacements, output);
                }

                output.WriteEndArray();
                break;

            case JsonValueKind.String when replacements.TryGetValue(pointer, out string? normalized):
                output.WriteStringValue(normalized);
                break;

            default:
                output.WriteRawValue(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
                break;
        }
    }

    private struct Visitor(PathArgumentRules rules, RootSet roots, string? baseDirectory, bool writes, List<PathArgument>? found, ProtectedPaths? own) : IJsonStringVisitor
    {
        public PathArgument? Denied { get; private set; }

        public bool Visit(in JsonStringPlace place)
        {
            string? text = Take(place);
            if (text is null)
            {
                return true;
            }

            PathVerdict verdict = roots.Check(text, FileUriPath.HasScheme(text) ? RootInputKind.FileUri : RootInputKind.Path, baseDirectory);
            if (writes)
            {
                verdict = verdict.ForWriting();
            }

            // They lie outside every root when a policy is read; only where something changed since then can a path reach them.
            if (verdict.IsAllowed && own is not null && (own.IsProtected(verdict.Normalized!) || own.IsSecondName(verdict.Normalized!)))
            {
                verdict = PathVerdict.Deny(PathDenial.GuardFile);
            }

            if (verdict.IsAllowed)
            {
                found?.Add(new PathArgument(place.GetPointer(), verdict, place.IsName));
                return true;
            }

            Denied = new PathArgument(place.GetPointer(), verdict, place.IsName);
            return false;
        }

        /// <summary>The text of a string that is a path, or null.</summary>
        private readonly string? Take(in JsonStringPlace place)
        {
            if (!place.IsName && rules.IsDeclared(in place))
            {
                return place.GetText();
            }

            if (rules.Mode != PathArgumentMode.Auto || rules.IsContent(in place))
            {
                return null;
            }

            if (!place.IsName && rules.IsNamedPath(in place))
            {
                // An empty optional argument names no file; a declared one is judged all the same.
                return place.Utf8.IsEmpty ? null : place.GetText();
            }

            if (!place.HasEscapes && !PathLook.MayLookLikePath(place.Utf8))
            {
                return null;
            }

            string text = place.GetText();
            return PathLook.LooksLikePath(text) ? text : null;
        }
    }
}
