using System.Security.Cryptography;
using System.Text.Json;
using Mcp.Guard.Audit;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.ToolPinning;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Stages.Consent;

/// <summary>
/// Decides whether a call that needs a person's consent has it: by a grant that covers it, or by asking now. Everything but a timely, matching,
/// explicit yes denies.
/// </summary>
internal sealed class ConsentService
{
    private const int MaxAnsweredBy = 256;
    private const int MaxReasons = 16;
    private const int TextBudget = 400;

    private readonly IConsentStore _store;
    private readonly IConsentProviderSource _providers;
    private readonly IConsentRecorder _recorder;
    private readonly ConsentOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    private readonly Lock _desk = new();
    private readonly Dictionary<ConsentPromptKey, ConsentPrompt> _open = [];
    private readonly PromptLimiter _limiter;
    private int _abandoned;
    private TaskCompletionSource? _allClosed;
    private TaskCompletionSource? _oneClosed;

    public ConsentService(IConsentStore store, IConsentProviderSource providers, IConsentRecorder recorder, ConsentOptions options, TimeProvider time, ILogger logger)
    {
        options.Validate();
        _store = store;
        _providers = providers;
        _recorder = recorder;
        _options = options;
        _time = time;
        _logger = logger;
        _limiter = new PromptLimiter(options.PromptsPerPeriod, options.PromptPeriod, time);
    }

    /// <summary>The number of prompts that are open now.</summary>
    public int OpenPrompts
    {
        get
        {
            lock (_desk)
            {
                return _open.Count;
            }
        }
    }

    /// <summary>The number of prompts whose provider has not returned although their time is over.</summary>
    public int AbandonedPrompts => Volatile.Read(ref _abandoned);

    /// <summary>Waits until no prompt is open: what a server wants to show a person comes after the guard's own questions.</summary>
    public Task WhenNoPromptIsOpenAsync(CancellationToken ct)
    {
        lock (_desk)
        {
            return _open.Count == 0
                ? Task.CompletedTask
                : (_allClosed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task.WaitAsync(ct);
        }
    }

    /// <summary>The same for the prompts of one caller: another one's open question holds nobody else up.</summary>
    public async Task WhenNoPromptIsOpenAsync(GuardCaller caller, CancellationToken ct)
    {
        while (true)
        {
            Task closed;
            lock (_desk)
            {
                if (!_open.Values.Any(prompt => prompt.Waiters.Any(waiter => waiter.Subject.Caller.Equals(caller))))
                {
                    return;
                }

                closed = (_oneClosed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await closed.WaitAsync(ct).ConfigureAwait(false);
        }
    }

    /// <summary>Decides about a call that at least one stage asked about: by what is remembered, or by asking.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="ct"/> was cancelled.</exception>
    public async ValueTask<ConsentVerdict> DecideAsync(IConsentSubject subject, CancellationToken ct) =>
        await FindAsync(subject, ct).ConfigureAwait(false) ?? await AskAsync(subject, ct).ConfigureAwait(false);

    /// <summary>What is remembered about the call; null where a person has to be asked. A grant for one use is used up by it.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="ct"/> was cancelled.</exception>
    public ValueTask<ConsentVerdict?> FindAsync(IConsentSubject subject, CancellationToken ct)
    {
        if (subject.ArgumentsDigest is not { } digest)
        {
            return new(NoMeaning);
        }

        ConsentBinding binding = BindingOf(subject, digest);
        DateTimeOffset now = _time.GetUtcNow();
        ValueTask<ConsentGrant?> taking;
        try
        {
            taking = _store.TakeAsync(binding, now, ct);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            taking = ValueTask.FromException<ConsentGrant?>(failure);
        }

        if (taking.IsCompletedSuccessfully)
        {
            ConsentGrant? grant = taking.Result;
            return new(Covers(grant, binding, now) ? VerdictOf(grant!) : null);
        }

        return AwaitStoreAsync(subject, binding, taking, ct);
    }

    /// <summary>Asks a person about the call, or joins a question that is open for identical ones.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="ct"/> was cancelled.</exception>
    public ValueTask<ConsentVerdict> AskAsync(IConsentSubject subject, CancellationToken ct) =>
        subject.ArgumentsDigest is { } digest ? AskAsync(subject, BindingOf(subject, digest), ct) : new(NoMeaning);

    /// <summary>
    /// Remembers that a person agreed elsewhere (an approval of Microsoft.Extensions.AI, for example) to one call with this binding.
    /// The transport consumes it; the policy still decides first.
    /// </summary>
    /// <param name="binding">The call.</param>
    /// <param name="lifetime">How long it waits to be used: more than zero, at most one hour.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <returns>The grant's id.</returns>
    public async ValueTask<string> GrantOnceAsync(ConsentBinding binding, TimeSpan lifetime, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lifetime, TimeSpan.FromHours(1));
        var grant = new ConsentGrant { GrantId = NewId(), Binding = binding, IsSingleUse = true, ExpiresAt = _time.GetUtcNow() + lifetime };
        await _store.AddAsync(grant, ct).AsTask().WaitAsync(_options.StoreTimeout, _time, ct).ConfigureAwait(false);
        return grant.GrantId;
    }

    /// <summary>Takes back a grant that was not used; a store that fails keeps it until it expires.</summary>
    public async ValueTask RevokeAsync(string grantId)
    {
        try
        {
            await _store.RevokeAsync(grantId, CancellationToken.None).AsTask().WaitAsync(_options.StoreTimeout, _time).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            ConsentLog.StoreFailed(_logger, "revoke", string.Empty, failure);
        }
    }

    /// <summary>What a person would be shown of a call.</summary>
    public ConsentRequest Describe(IConsentSubject subject) => RequestOf(subject, merged: 1);

    /// <summary>What a consent for this call is bound to.</summary>
    public static ConsentBinding BindingOf(IConsentSubject subject, string argumentsDigest) => new()
    {
        Server = subject.ServerKey,
        Method = subject.Method,
        Tool = subject.Target,
        Fingerprint = subject.Fingerprint,
        ArgumentsDigest = argumentsDigest,
        UserId = subject.Caller.UserId,
        SessionId = subject.Caller.SessionId,
        PolicyRevision = subject.PolicyRevision,
    };

    private static ConsentVerdict NoMeaning =>
        ConsentVerdict.Denied(GuardDenialCodes.ArgumentsMalformed, "the arguments have no single meaning, so no consent can be bound to them");

    private static ConsentVerdict VerdictOf(ConsentGrant grant) => grant.IsRefusal
        ? ConsentVerdict.Denied(GuardDenialCodes.ConsentDenied, $"a standing refusal ({grant.GrantId})")
        : ConsentVerdict.ByGrant(grant.GrantId);

    private static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    // A shared store is other people's code: what it returns counts only where it really covers the call.
    private static bool Covers(ConsentGrant? grant, in ConsentBinding binding, DateTimeOffset now) => grant is not null && grant.Covers(binding, now);

    private async ValueTask<ConsentVerdict?> AwaitStoreAsync(IConsentSubject subject, ConsentBinding binding, ValueTask<ConsentGrant?> taking, CancellationToken ct)
    {
        try
        {
            ConsentGrant? grant = await taking.AsTask().WaitAsync(_options.StoreTimeout, _time, ct).ConfigureAwait(false);
            if (Covers(grant, binding, _time.GetUtcNow()))
            {
                return VerdictOf(grant!);
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            // Failing is not granting: the person is asked as if nothing were remembered.
            ConsentLog.StoreFailed(_logger, "take", subject.DecisionId, failure);
        }

        return null;
    }

    private async ValueTask<ConsentVerdict> AskAsync(IConsentSubject subject, ConsentBinding binding, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (!_providers.IsAvailable)
        {
            return await RefuseAsync(subject, ConsentOutcome.Unavailable("no consent provider is set"), null, ct).ConfigureAwait(false);
        }

        try
        {
            await _recorder.WriteAsync(subject, "asked", JoinReasons(subject.Reasons), null, ct).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            return ConsentVerdict.Denied(GuardDenialCodes.AuditUnavailable, $"the question could not be recorded ({failure.GetType().Name})");
        }

        var waiter = new ConsentWaiter(subject);
        if (!TryEnter(binding, waiter, out ConsentPrompt? prompt, out ConsentOutcome refusal, out TimeSpan? retryAfter))
        {
            return await RefuseAsync(subject, refusal, retryAfter, ct).ConfigureAwait(false);
        }

        long asked = _time.GetTimestamp();
        ConsentOutcome outcome;
        try
        {
            outcome = await waiter.Done.WaitAsync(ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Leave(prompt, waiter);
            throw;
        }

        GuardTelemetry.CountConsent(subject.Server.Id, outcome.Decision ?? "deny", _time.GetElapsedTime(asked));
        return await ConcludeAsync(subject, binding, outcome, ct).ConfigureAwait(false);
    }

    /// <summary>Gives a call its share of the answer, once that is on record.</summary>
    private async ValueTask<ConsentVerdict> ConcludeAsync(IConsentSubject subject, ConsentBinding binding, ConsentOutcome outcome, CancellationToken ct)
    {
        if (outcome.Kind is ConsentAnswerKind.Deny or ConsentAnswerKind.Never)
        {
            return await RefuseAsync(subject, outcome, null, ct).ConfigureAwait(false);
        }

        string current = subject.CurrentFingerprint;
        if (!string.Equals(current, binding.Fingerprint, StringComparison.Ordinal) && !string.Equals(current, outcome.AgreedFingerprint, StringComparison.Ordinal))
        {
            return await RefuseAsync(
                subject,
                new(ConsentAnswerKind.Deny, GuardDenialCodes.ToolChanged, "deny", "the definition changed while the prompt was open; the answer is discarded", outcome.Answer),
                null,
                ct).ConfigureAwait(false);
        }

        if (!ReferenceEquals(outcome.RecordedFor, subject) && await TryRecordAsync(subject, outcome, ct).ConfigureAwait(false) is { } refusal)
        {
            return ConsentVerdict.Denied(refusal.Code!, refusal.Reason!);
        }

        return ConsentVerdict.ByAnswer(outcome.Decision!);
    }

    /// <summary>Puts an agreement on record; otherwise says why it has no effect.</summary>
    private async ValueTask<ConsentOutcome?> TryRecordAsync(IConsentSubject subject, ConsentOutcome outcome, CancellationToken ct)
    {
        try
        {
            await _recorder.WriteAsync(subject, outcome.Decision!, outcome.Reason, Bound(outcome.Answer!.AnsweredBy), ct).ConfigureAwait(false);
            return null;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            return new(ConsentAnswerKind.Deny, GuardDenialCodes.AuditUnavailable, "deny", $"the answer could not be recorded ({failure.GetType().Name})", outcome.Answer);
        }
    }

    private async ValueTask<ConsentVerdict> RefuseAsync(IConsentSubject subject, ConsentOutcome outcome, TimeSpan? retryAfter, CancellationToken ct)
    {
        try
        {
            await _recorder.WriteAsync(subject, outcome.Decision ?? "deny", outcome.Reason, Bound(outcome.Answer?.AnsweredBy), ct).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            // A denial stands whether or not it is on record.
            ConsentLog.RecordFailed(_logger, subject.DecisionId, failure);
        }

        return ConsentVerdict.Denied(outcome.Code ?? GuardDenialCodes.ConsentDenied, outcome.Reason ?? "a person said never", retryAfter);
    }

    private bool TryEnter(in ConsentBinding binding, ConsentWaiter waiter, out ConsentPrompt prompt, out ConsentOutcome refusal, out TimeSpan? retryAfter)
    {
        var key = new ConsentPromptKey(binding, waiter.Subject.Caller.IsConnection, JoinReasons(waiter.Subject.Reasons));
        refusal = default;
        retryAfter = null;
        lock (_desk)
        {
            if (_open.TryGetValue(key, out ConsentPrompt? open))
            {
                prompt = open;
                if (open.Waiters.Count >= _options.MaxMergedCalls)
                {
                    refusal = ConsentOutcome.Unavailable("too many identical calls wait for one prompt");
                    return false;
                }

                open.Waiters.Add(waiter);
                return true;
            }

            prompt = new ConsentPrompt(key);
            if (_open.Count >= _options.MaxOpenPrompts || OpenFor(key) >= _options.MaxOpenPromptsPerUser)
            {
                refusal = ConsentOutcome.Unavailable("too many prompts are open");
                return false;
            }

            if (!TryCharge(key, out refusal, out retryAfter))
            {
                return false;
            }

            prompt.Waiters.Add(waiter);
            _open.Add(key, prompt);
        }

        _ = RunAsync(prompt);
        return true;
    }

    private bool TryCharge(in ConsentPromptKey key, out ConsentOutcome refusal, out TimeSpan? retryAfter)
    {
        refusal = default;
        retryAfter = null;
        if (_limiter.TryTake(key.Binding.Server, key.IsConnection ? key.Binding.SessionId : key.Binding.UserId, out TimeSpan wait))
        {
            return true;
        }

        refusal = new(ConsentAnswerKind.Deny, GuardDenialCodes.RateLimited, "unavailable", "the server caused too many prompts", null);
        retryAfter = wait;
        return false;
    }

    private int OpenFor(in ConsentPromptKey key)
    {
        int count = 0;
        foreach (ConsentPromptKey other in _open.Keys)
        {
            count += string.Equals(other.Binding.UserId, key.Binding.UserId, StringComparison.Ordinal) && other.IsConnection == key.IsConnection ? 1 : 0;
        }

        return count;
    }

    private void Leave(ConsentPrompt prompt, ConsentWaiter waiter)
    {
        bool last;
        lock (_desk)
        {
            last = prompt.Waiters.Remove(waiter) && prompt.Waiters.Count == 0;
            if (last)
            {
                Close(prompt);
            }
        }

        if (last)
        {
            // Never on this thread: a callback of the provider may hang as well as the provider.
            _ = prompt.Abandoned.CancelAsync();
        }
    }

    // Under the lock. A prompt that is closed takes no more calls; a new identical call opens another.
    private void Close(ConsentPrompt prompt)
    {
        if (_open.TryGetValue(prompt.Key, out ConsentPrompt? open) && ReferenceEquals(open, prompt))
        {
            _open.Remove(prompt.Key);
        }

        _oneClosed?.TrySetResult();
        _oneClosed = null;
        if (_open.Count == 0)
        {
            _allClosed?.TrySetResult();
            _allClosed = null;
        }
    }

    private async Task RunAsync(ConsentPrompt prompt)
    {
        try
        {
            while (await AskOnceAsync(prompt).ConfigureAwait(false))
            {
            }
        }
        catch (Exception failure)
        {
            ConsentLog.PromptFailed(_logger, failure);
            CompleteAll(prompt, ConsentOutcome.Unavailable($"asking failed ({failure.GetType().Name})"));
        }
    }

    /// <summary>Shows the question once; true where calls that the answer did not cover still wait.</summary>
    private async Task<bool> AskOnceAsync(ConsentPrompt prompt)
    {
        // Leaves the caller's stack, and gathers the calls that come together with the first.
        if (_options.MergeWindow > TimeSpan.Zero)
        {
            await Task.Delay(_options.MergeWindow, _time, prompt.Abandoned.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        else
        {
            await Task.Yield();
        }

        ConsentWaiter[] shown;
        lock (_desk)
        {
            shown = [.. prompt.Waiters];
        }

        if (shown.Length == 0)
        {
            return false;
        }

        ConsentRequest request = RequestOf(shown[0].Subject, shown.Length);
        ConsentOutcome outcome = await AskProviderAsync(request, prompt).ConfigureAwait(false);
        switch (outcome.Kind)
        {
            case ConsentAnswerKind.AllowOnce:
                return AdmitOnce(prompt, shown, outcome);
            case ConsentAnswerKind.AllowTheseArguments:
            case ConsentAnswerKind.AllowTool:
            case ConsentAnswerKind.Never:
                CompleteAll(prompt, await GiveEffectAsync(prompt, shown[0].Subject, outcome).ConfigureAwait(false));
                return false;
            default:
                CompleteAll(prompt, outcome);
                return false;
        }
    }

    private bool AdmitOnce(ConsentPrompt prompt, ConsentWaiter[] shown, ConsentOutcome outcome)
    {
        var admitted = new List<ConsentWaiter>();
        ConsentOutcome refusal = default;
        ConsentWaiter[] refused = [];
        bool more;
        lock (_desk)
        {
            // Only calls that the person was shown the number of, and that still wait.
            foreach (ConsentWaiter waiter in shown)
            {
                if ((admitted.Count == 0 || outcome.Answer!.ForAllMerged) && prompt.Waiters.Remove(waiter))
                {
                    admitted.Add(waiter);
                }
            }

            more = prompt.Waiters.Count > 0;
            if (more && !TryCharge(prompt.Key, out refusal, out _))
            {
                refused = [.. prompt.Waiters];
                prompt.Waiters.Clear();
                more = false;
            }

            if (!more)
            {
                Close(prompt);
            }
        }

        foreach (ConsentWaiter waiter in admitted)
        {
            waiter.Complete(outcome);
        }

        foreach (ConsentWaiter waiter in refused)
        {
            waiter.Complete(refusal);
        }

        return more;
    }

    private void CompleteAll(ConsentPrompt prompt, ConsentOutcome outcome)
    {
        ConsentWaiter[] waiters;
        lock (_desk)
        {
            waiters = [.. prompt.Waiters];
            prompt.Waiters.Clear();
            Close(prompt);
        }

        foreach (ConsentWaiter waiter in waiters)
        {
            waiter.Complete(outcome);
        }
    }

    /// <summary>Keeps a lasting answer. It is on record before anything can rely on it.</summary>
    private async Task<ConsentOutcome> GiveEffectAsync(ConsentPrompt prompt, IConsentSubject subject, ConsentOutcome outcome)
    {
        if (outcome.Kind == ConsentAnswerKind.Never)
        {
            await RememberAsync(prompt, subject, outcome, prompt.Key.Binding.Fingerprint).ConfigureAwait(false);
            return outcome;
        }

        if (!string.Equals(subject.CurrentFingerprint, prompt.Key.Binding.Fingerprint, StringComparison.Ordinal))
        {
            return outcome; // given for a definition that is no more: each call is refused for it, and nothing is remembered
        }

        if (await TryRecordAsync(subject, outcome, CancellationToken.None).ConfigureAwait(false) is { } unrecorded)
        {
            return unrecorded;
        }

        string? fingerprint = subject.Differences.Changes.Count > 0 ? await TryAgreeAsync(subject).ConfigureAwait(false) : prompt.Key.Binding.Fingerprint;
        if (fingerprint is null)
        {
            return new(ConsentAnswerKind.Deny, GuardDenialCodes.ToolChanged, "deny", "the agreement to the change could not be kept", outcome.Answer);
        }

        await RememberAsync(prompt, subject, outcome, fingerprint).ConfigureAwait(false);
        return outcome with { RecordedFor = subject, AgreedFingerprint = fingerprint };
    }

    private async Task<string?> TryAgreeAsync(IConsentSubject subject)
    {
        try
        {
            return await subject.AgreeToChangeAsync(CancellationToken.None).AsTask().WaitAsync(_options.StoreTimeout, _time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            ConsentLog.StoreFailed(_logger, "pin", subject.DecisionId, failure);
            return null;
        }
    }

    private async Task RememberAsync(ConsentPrompt prompt, IConsentSubject subject, ConsentOutcome outcome, string fingerprint)
    {
        bool refusal = outcome.Kind == ConsentAnswerKind.Never;
        TimeSpan? lifetime = refusal ? null : outcome.Answer!.Lifetime;
        DateTimeOffset now = _time.GetUtcNow();
        var grant = new ConsentGrant
        {
            GrantId = NewId(),
            Binding = prompt.Key.Binding with { Fingerprint = fingerprint },
            IsRefusal = refusal,
            CoversAnyArguments = outcome.Kind is ConsentAnswerKind.AllowTool or ConsentAnswerKind.Never,

            // The session of a caller that stands for a connection is all that tells it from other connections.
            CoversAnySession = (refusal || lifetime is not null) && !prompt.Key.IsConnection,
            ExpiresAt = refusal ? DateTimeOffset.MaxValue : now + (lifetime ?? _options.SessionLifetime),
        };
        try
        {
            await _store.AddAsync(grant, CancellationToken.None).AsTask().WaitAsync(_options.StoreTimeout, _time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            // The answer still holds for the calls that wait; the next one asks again.
            ConsentLog.StoreFailed(_logger, "add", subject.DecisionId, failure);
        }
    }

    private async Task<ConsentOutcome> AskProviderAsync(ConsentRequest request, ConsentPrompt prompt)
    {
        if (AbandonedPrompts >= _options.MaxAbandonedPrompts)
        {
            return ConsentOutcome.Unavailable("too many earlier prompts have not returned");
        }

        CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(prompt.Abandoned.Token);
        CancellationToken ct = deadline.Token;

        // On the pool: a provider that blocks its thread (Console.ReadLine) must not block the caller's, and one that throws at once is a fault like any other.
        Task<ConsentAnswer> asking = Task.Run(
            async () =>
            {
                ConsentProviderLease lease = _providers.Open();
                try
                {
                    return await lease.Provider.RequestAsync(request, ct).ConfigureAwait(false);
                }
                finally
                {
                    if (lease.Scope is not null)
                    {
                        await lease.Scope.DisposeAsync().ConfigureAwait(false);
                    }
                }
            },
            CancellationToken.None);
        try
        {
            ConsentAnswer? answer = await asking.WaitAsync(_options.AnswerTimeout, _time, prompt.Abandoned.Token).ConfigureAwait(false);
            return _time.GetUtcNow() >= request.Deadline ? ConsentOutcome.Timeout : ConsentOutcome.Of(request, answer);
        }
        catch (TimeoutException) when (!asking.IsCompleted)
        {
            return ConsentOutcome.Timeout;
        }
        catch (OperationCanceledException) when (prompt.Abandoned.IsCancellationRequested)
        {
            return ConsentOutcome.Denied("the caller gave up");
        }
        catch (Exception failure)
        {
            ConsentLog.ProviderFailed(_logger, request.DecisionId, failure);
            return ConsentOutcome.Unavailable($"the provider failed ({failure.GetType().Name})");
        }
        finally
        {
            if (asking.IsCompleted)
            {
                deadline.Dispose();
            }
            else
            {
                // What it answers from now on is ignored. It is counted until it returns, and so is the thread that it may block.
                Interlocked.Increment(ref _abandoned);
                _ = ForgetAsync(asking, deadline);
            }
        }
    }

    private async Task ForgetAsync(Task asking, CancellationTokenSource deadline)
    {
        try
        {
            await deadline.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await asking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            Interlocked.Decrement(ref _abandoned);
            deadline.Dispose();
        }
    }

    private ConsentRequest RequestOf(IConsentSubject subject, int merged)
    {
        DisplayText arguments = ConsentDisplay.Arguments(subject.Arguments);
        ToolDifferences differences = subject.Differences;
        bool isCut = arguments.IsCut || differences.IsCut || differences.Omitted > 0;
        bool lasting = !isCut && subject.Fingerprint.Length > 0;
        ConsentScopes offered = ConsentScopes.Once | ConsentScopes.Never | (lasting ? ConsentScopes.TheseArguments | ConsentScopes.Tool : ConsentScopes.None);
        if (differences.Changes.Count > 0)
        {
            offered &= ~ConsentScopes.TheseArguments; // a change is agreed to as a whole or for one call
        }

        return new ConsentRequest
        {
            RequestId = NewId(),
            DecisionId = subject.DecisionId,
            ServerId = ConsentDisplay.Name(subject.Server.Id),
            Method = ConsentDisplay.Name(subject.Method),
            ToolName = ConsentDisplay.Name(subject.Target),
            ServerSuppliedTitle = TextOf(subject.Definition, "title"u8),
            ServerSuppliedDescription = TextOf(subject.Definition, "description"u8),
            Arguments = subject.Arguments.ValueKind == JsonValueKind.Undefined ? default : subject.Arguments.Clone(),
            ArgumentsForDisplay = arguments.Text,
            IsCut = isCut,
            Reasons = Lines(subject.Reasons),
            Caller = subject.Caller,
            ModelSuppliedIntent = subject.Caller.Intent is { } intent ? ConsentDisplay.Quote(intent, _options.MaxIntentLength).Text : null,
            IsDestructive = subject.IsDestructive,
            IsOpenWorld = subject.IsOpenWorld,
            Changes = differences.Changes,
            OmittedChanges = differences.Omitted,
            Offered = offered & (subject.Permitted | ConsentScopes.Once),
            MergedCalls = merged,
            Deadline = _time.GetUtcNow() + _options.AnswerTimeout,
        };
    }

    private static string? TextOf(JsonElement definition, ReadOnlySpan<byte> member) =>
        definition.ValueKind == JsonValueKind.Object && definition.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? ConsentDisplay.Quote(JsonText.GetString(value), TextBudget).Text
            : null;

    private static List<string> Lines(IReadOnlyList<string> reasons)
    {
        var lines = new List<string>(Math.Min(reasons.Count, MaxReasons));
        for (int i = 0; i < reasons.Count && i < MaxReasons; i++)
        {
            lines.Add(ConsentDisplay.Name(reasons[i]));
        }

        return lines;
    }

    private static string JoinReasons(IReadOnlyList<string> reasons) => reasons.Count == 1 ? reasons[0] : string.Join("; ", reasons);

    private static string? Bound(string? answeredBy) => answeredBy is { Length: > MaxAnsweredBy } ? answeredBy[..MaxAnsweredBy] : answeredBy;
}
