namespace Mcp.Guard.Tests;

/// <summary>Waits for what other flows of control bring about; fails after ten seconds.</summary>
internal static class Eventually
{
    public static Task True(Func<bool> condition) => True(condition, TimeSpan.FromSeconds(10));

    public static Task True(Func<bool> condition, TimeSpan within) => TrueAsync(() => Task.FromResult(condition()), within);

    public static Task TrueAsync(Func<Task<bool>> condition) => TrueAsync(condition, TimeSpan.FromSeconds(10));

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
