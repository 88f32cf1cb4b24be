using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Mcp.Guard.Tests.Fuzz;

/// <summary>One target, for some time: an input that reaches something new is changed further.</summary>
internal sealed class GuidedRun(FuzzTarget target, Reach reach, string folder)
{
    private readonly List<string> _corpus = [];
    private readonly Random _random = new(20_261_124);
    private int _broken;

    /// <summary>Runs.</summary>
    /// <returns>How many different promises were broken.</returns>
    public int For(TimeSpan time)
    {
        reach.Forget();
        string[] seeds = [.. target.Seeds(), .. FuzzCorpus.Files(target)];
        foreach (string seed in seeds)
        {
            Try(seed, keep: true);
        }

        int branches = reach.Branches;
        long done = 0;
        for (var since = Stopwatch.StartNew(); since.Elapsed < time; done++)
        {
            Try(FuzzMutation.Change(_corpus[_random.Next(_corpus.Count)], _corpus[_random.Next(_corpus.Count)], target, _random), keep: false);
        }

        Console.WriteLine($"{target}: {seeds.Length} seeds reach {branches} branches; {done} inputs, {_corpus.Count - seeds.Length} of them new, reach {reach.Branches}; {_broken} broken promises");
        return _broken;
    }

    private void Try(string input, bool keep)
    {
        reach.Begin();
        try
        {
            target.Try(input);
        }
        catch (Exception fault)
        {
            if (_broken++ < 5)
            {
                Console.WriteLine($"{target}: {fault.GetType().Name}: {fault.Message}: {Write("broken", input)}");
            }

            return;
        }

        if (reach.IsNew() || keep)
        {
            _corpus.Add(input);
            if (!keep)
            {
                Write("new", input);
            }
        }
    }

    private string Write(string kind, string input)
    {
        byte[] bytes = target.IsOfBytes ? Encoding.Latin1.GetBytes(input) : Encoding.UTF8.GetBytes(input);
        string file = Path.Combine(folder, kind + "-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.Unicode.GetBytes(input)))[..16]);
        File.WriteAllBytes(file, bytes);
        return file;
    }
}
