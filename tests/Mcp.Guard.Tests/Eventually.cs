namespace Mcp.Guard.Tests;

/// <summary>Waits for what other flows of control bring about; fails after ten seconds.</summary>
internal static class Eventually
{
    public static Task True(Func<bool> condition) => TrueAsync(() => Task.FromResult(condition()));

    public static async Task TrueAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!await condition())
        {
            if (limit.IsCancellationRequested)
            {
                Assert.Fail("the expected state did not come within ten seconds");
            }

            await Task.Delay(5, CancellationToken.None);
        }
    }
}
