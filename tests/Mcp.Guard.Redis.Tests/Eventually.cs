namespace Mcp.Guard.Redis.Tests;

/// <summary>Waits for what other processes bring about; fails after twenty seconds.</summary>
internal static class Eventually
{
    public static Task True(Func<bool> condition) => True(() => Task.FromResult(condition()));

    public static async Task True(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition())
        {
            if (limit.IsCancellationRequested)
            {
                Assert.Fail("the expected state did not come within twenty seconds");
            }

            await Task.Delay(10, CancellationToken.None);
        }
    }
}
