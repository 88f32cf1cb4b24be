using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;
using Mcp.Guard.Audit;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Tests.Pipeline;

namespace Mcp.Guard.Tests.Audit;

/// <summary>Listeners of the host run in the calls of the guard: what they throw must neither end the audit nor refuse a call.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class GuardTelemetryTests
{
    private readonly ConcurrentQueue<string> _heard = new();

    [Test]
    public async Task WriteAsync_MeterListenerThrows_AuditGoesOn()
    {
        using var folder = new AuditFolder();
        await using var sink = new AuditFileSink(folder.Options(), TimeProvider.System);
        await sink.StartAsync(CancellationToken.None);
        using MeterListener meters = Throwing();
        await sink.WriteAsync(AuditSamples.Intent("a"), CancellationToken.None);
        await sink.WriteAsync(AuditSamples.Intent("b"), CancellationToken.None);
        Assert.Multiple(() =>
        {
            Assert.That(_heard, Does.Contain("mcp.guard.audit.records"), "the listener was asked");
            Assert.That(File.ReadAllText(folder.Segments()[0]), Does.Contain("\"id\":\"b\""));
        });
    }

    [Test]
    public async Task Request_ListenersThrow_IsJudgedAllTheSame()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        using MeterListener meters = Throwing();
        using var activities = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == GuardTelemetry.Name,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStarted = static _ => throw new InvalidOperationException("a listener of the host's"),
            ActivityStopped = static _ => throw new InvalidOperationException("a listener of the host's"),
        };
        ActivitySource.AddActivityListener(activities);
        using var events = new Faults();
        Activity? around = Activity.Current;
        await using Evaluation evaluation = await guard.EvaluateAsync(guard.Request());
        GuardResult result = await evaluation.CompleteAsync(System.Text.Json.JsonElement.Parse("""{"content":[]}"""));
        Assert.Multiple(() =>
        {
            Assert.That(evaluation.IsAllowed, Is.True);
            Assert.That(result.IsAllowed, Is.True);
            Assert.That(_heard, Does.Contain("mcp.guard.decisions"), "the listener was asked");
            Assert.That(Activity.Current, Is.SameAs(around));
            Assert.That(events.Of, Does.Contain("mcp.guard.decisions InvalidOperationException").And.Contain("Mcp.Guard InvalidOperationException"));
        });
    }

    private MeterListener Throwing()
    {
        var meters = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == GuardTelemetry.Name)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        meters.SetMeasurementEventCallback<long>((instrument, _, _, _) => Throw(instrument));
        meters.SetMeasurementEventCallback<double>((instrument, _, _, _) => Throw(instrument));
        meters.Start();
        return meters;
    }

    private void Throw(Instrument instrument)
    {
        _heard.Enqueue(instrument.Name);
        throw new InvalidOperationException("a listener of the host's");
    }

    private sealed class Faults : EventListener
    {
        public ConcurrentQueue<string> Of { get; } = new();

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == GuardTelemetry.Name)
            {
                EnableEvents(eventSource, EventLevel.Error);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData) => Of?.Enqueue(string.Join(' ', eventData.Payload ?? []));
    }
}
