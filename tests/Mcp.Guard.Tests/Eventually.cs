namespace Mcp.Guard.Tests;

/// <summary>Waits for what other flows of control bring about; fails after ten seconds.</summary>
internal static class Eventually
{
    public static async Task True(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!condition())
        {
            if (limit.IsCancellationRequested)
            {
                Assert.Fail("the expected state did not come within ten seconds");
            }

            await Task.Delay(5, CancellationToken.None);
        }
    }
}
