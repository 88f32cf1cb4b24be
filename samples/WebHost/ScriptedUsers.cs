using System.Net;
using System.Net.Http.Json;
using Gateway;

namespace WebHost;

/// <summary>Ada, who approves her call, and Bob, who denies his and would answer hers too.</summary>
internal sealed class ScriptedUsers(Uri url, string project)
{
    private bool _asExpected = true;

    public async Task<bool> RunAsync()
    {
        using HttpClient ada = Client("ada"), bob = Client("bob"), nobody = new() { BaseAddress = url };

        using (HttpResponseMessage refused = await nobody.GetAsync(new Uri("/consents", UriKind.Relative)))
        {
            Check(refused.StatusCode == HttpStatusCode.Unauthorized, $"nobody     refused ({(int)refused.StatusCode})");
        }

        await CallAsync("ada", ada, "read_file", "hello.txt", null, "hello from behind");
        await CallAsync("ada", ada, "read_file", "../guard/pins.json", null, "[path-outside-roots]");

        Task adas = CallAsync("ada", ada, "write_file", "ada.txt", "by ada", "wrote");
        Question question = await QuestionAsync("ada", ada);
        Check((await bob.GetFromJsonAsync<Question[]>("/consents"))!.Length == 0, "bob        sees no question of ada's");
        Check(await AnswerAsync(bob, question, "approve") == HttpStatusCode.NotFound, "bob        cannot answer it");
        Check(await AnswerAsync(ada, question, "approve") == HttpStatusCode.NoContent, "ada        approves");
        await adas;
        Check(await AnswerAsync(ada, question, "approve") == HttpStatusCode.NotFound, "ada        cannot approve twice");

        Task bobs = CallAsync("bob", bob, "write_file", "bob.txt", "by bob", "[consent-denied]");
        Check(await AnswerAsync(bob, await QuestionAsync("bob", bob), "deny") == HttpStatusCode.NoContent, "bob        denies");
        await bobs;
        Check(Directory.GetFiles(project).Select(Path.GetFileName).Order(StringComparer.Ordinal).SequenceEqual(["ada.txt", "hello.txt"]), "the folder holds ada's file and not bob's");
        return _asExpected;
    }

    private HttpClient Client(string user) => new()
    {
        BaseAddress = url,
        DefaultRequestHeaders = { Authorization = new("Bearer", TokenAuthentication.TokenOf[user]) },
    };

    private async Task CallAsync(string user, HttpClient client, string tool, string name, string? content, string expected)
    {
        var arguments = new Dictionary<string, string> { ["path"] = Path.Combine(project, name) };
        if (content is not null)
        {
            arguments["content"] = content;
        }

        using HttpResponseMessage response = await client.PostAsJsonAsync("/tools/" + tool, arguments);
        string text = await response.Content.ReadAsStringAsync();
        Check(text.Contains(expected, StringComparison.Ordinal) && response.IsSuccessStatusCode == !expected.StartsWith('['), $"{user,-10} {tool} {name}: {(int)response.StatusCode} {text}");
    }

    private static async Task<Question> QuestionAsync(string user, HttpClient client)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            if (await client.GetFromJsonAsync<Question[]>("/consents", limit.Token) is [Question question, ..])
            {
                Console.WriteLine($"  asked    {user}: {question.Tool} of {question.Server}? {question.Arguments.ReplaceLineEndings(" ")}");
                return question;
            }

            await Task.Delay(50, limit.Token);
        }
    }

    private static async Task<HttpStatusCode> AnswerAsync(HttpClient client, Question question, string answer)
    {
        using HttpResponseMessage response = await client.PostAsync(new Uri($"/consents/{question.Id}/{answer}", UriKind.Relative), null);
        return response.StatusCode;
    }

    private void Check(bool good, string line)
    {
        Console.WriteLine(good ? line : line + "   <- NOT as expected");
        _asExpected &= good;
    }
}
