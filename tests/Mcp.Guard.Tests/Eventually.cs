using System.Globalization;

namespace Mcp.Guard.Tests;

/// <summary>Waits for what other flows of control bring about; fails after ten seconds, or after MCP_GUARD_PATIENCE seconds where what is waited for may never come, as with mutants.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_patience =
        TimeSpan.FromSeconds(int.TryParse(Environment.GetEnvironmentVariable("MCP_GUARD_PATIENCE"), CultureInfo.InvariantCulture, out int seconds) ? seconds : 10);

    public static Task True(Func<bool> condition) => True(condition, s_patience);

    public static Task True(Func<bool> condition, TimeSpan within) => TrueAsync(() => Task.FromResult(condition()), within);

    public static Task TrueAsync(Func<Task<bool>> condition) => TrueAsync(condition, s_patience);

    private static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan within)
    {
        using var limit = new CancellationTokenSource(within);
        while (!await condition())
        {
            if (limit.IsCancellationRequested)
            {
                Assert.Fail($"the expected state did not come within {within.TotalSeconds} seconds");
            }

            await Task.Delay(5, CancellationToken.None);
        }
    }
}
