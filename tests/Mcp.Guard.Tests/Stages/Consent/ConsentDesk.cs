using System.Collections.Concurrent;
using Mcp.Guard.Stages.Consent;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.Consent;

/// <summary>A consent service with a scripted person, a store in memory and a recorder that can fail.</summary>
internal sealed class ConsentDesk : IConsentProviderSource, IConsentProvider, IConsentRecorder
{
    private readonly Func<ConsentRequest, CancellationToken, ValueTask<ConsentAnswer>> _person;

    public ConsentDesk(Func<ConsentRequest, CancellationToken, ValueTask<ConsentAnswer>> person, ConsentOptions? options = null, IConsentStore? store = null)
    {
        _person = person;
        Store = store ?? new InMemoryConsentStore(Time);
        Service = new ConsentService(Store, this, this, options ?? new ConsentOptions { MergeWindow = TimeSpan.Zero }, Time, Log);
    }

    public ConsentDesk(Func<ConsentRequest, ConsentAnswer?> person, ConsentOptions? options = null, IConsentStore? store = null)
        : this((request, _) => new ValueTask<ConsentAnswer>(person(request)!), options, store)
    {
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    public IConsentStore Store { get; }

    public ConsentService Service { get; }

    /// <summary>What the service logged.</summary>
    public WrittenLog Log { get; } = new();

    public bool IsAvailable { get; init; } = true;

    /// <summary>What the provider of each prompt lives in.</summary>
    public IAsyncDisposable? Scope { get; init; }

    public ConcurrentQueue<ConsentRequest> Shown { get; } = new();

    public ConcurrentQueue<(string DecisionId, string Decision, string? Reason, string? By)> Records { get; } = new();

    /// <summary>Fails the record of this decision.</summary>
    public string? FailRecordOf { get; init; }

    /// <summary>Why that record fails.</summary>
    public Func<Exception> RecordFault { get; init; } = () => new IOException("the disk is full");

    public ValueTask<ConsentVerdict> Decide(IConsentSubject subject, CancellationToken ct = default) => Service.DecideAsync(subject, ct);

    public ConsentProviderLease Open() => new(this, Scope);

    public ValueTask<ConsentAnswer> RequestAsync(ConsentRequest request, CancellationToken ct)
    {
        Shown.Enqueue(request);
        return _person(request, ct);
    }

    public ValueTask WriteAsync(IConsentSubject subject, string decision, string? reason, string? answeredBy, CancellationToken ct)
    {
        if (decision == FailRecordOf)
        {
            throw RecordFault();
        }

        Records.Enqueue((subject.DecisionId, decision, reason, answeredBy));
        return ValueTask.CompletedTask;
    }
}
