using System.Buffers;
using System.Text.Json;
using Mcp.Guard.State;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Stages.Consent;

/// <summary>
/// Remembers consents in a file over restarts. Reads are from memory; that a one-time grant was used is on disk before anyone gets it,
/// so that neither a crash nor a full disk lets it be used twice. A file that is damaged, or that others may touch, holds no grants.
/// One process at a time uses the file.
/// </summary>
internal sealed class FileConsentStore : IConsentStore, IDisposable
{
    /// <summary>Most grants and refusals that are kept: each change writes the whole file.</summary>
    public const int DefaultCapacity = 2_000;

    private const string Format = "mcp-guard-consents-1";

    private readonly StateFile _file;
    private readonly StateFileLock _lock;
    private readonly InMemoryConsentStore _memory;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _writing = new(1, 1);

    /// <summary>Opens the file.</summary>
    /// <exception cref="InvalidOperationException">Another process uses the file.</exception>
    public FileConsentStore(string path, TimeProvider time, ILogger logger, int capacity = DefaultCapacity)
    {
        _file = new StateFile(path, Format);
        _time = time;
        _memory = new InMemoryConsentStore(time, capacity);
        _lock = StateFileLock.TryTake(path)
            ?? throw new InvalidOperationException($"Another process uses the consents in '{path}'. Give each host a state directory of its own.");
        StateFileStatus status = _file.Read(out JsonElement content, out string? problem);
        if (status == StateFileStatus.Sound && !TryLoad(content))
        {
            status = StateFileStatus.Damaged;
            problem = "an entry in it is incomplete";
        }

        IsDamaged = status is StateFileStatus.Damaged or StateFileStatus.Lost;
        if (IsDamaged)
        {
            StateLog.NoConsents(logger, path, problem ?? "it is gone");
        }
    }

    /// <summary>True where the file could not be used when it was opened: nothing of it was taken over.</summary>
    public bool IsDamaged { get; }

    public ValueTask<ConsentGrant?> TakeAsync(ConsentBinding binding, DateTimeOffset now, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        ConsentGrant? taken = _memory.Take(binding, now);
        return taken is { IsSingleUse: true, IsRefusal: false } ? new(WriteTakenAsync(taken, ct)) : new(taken);
    }

    public ValueTask AddAsync(ConsentGrant grant, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(grant);
        return new(ChangeAsync(
            () =>
            {
                _memory.Add(grant);
                return true;
            },
            undo: () => _memory.Revoke(grant.GrantId),
            ct));
    }

    public async ValueTask<bool> RevokeAsync(string grantId, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(grantId);

        // A revocation that could not be written still holds in this process.
        bool found = false;
        await ChangeAsync(() => found = _memory.Revoke(grantId), undo: null, ct).ConfigureAwait(false);
        return found;
    }

    public ValueTask<IReadOnlyList<ConsentGrant>> ListAsync(string userId, DateTimeOffset now, CancellationToken ct) => _memory.ListAsync(userId, now, ct);

    public void Dispose()
    {
        _lock.Dispose();
        _writing.Dispose();
    }

    // Where this fails the grant is gone from memory, and the caller gets none.
    private async Task<ConsentGrant?> WriteTakenAsync(ConsentGrant taken, CancellationToken ct)
    {
        await ChangeAsync(() => true, undo: null, ct).ConfigureAwait(false);
        return taken;
    }

    private async Task ChangeAsync(Func<bool> change, Action? undo, CancellationToken ct)
    {
        await _writing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (!change())
            {
                return;
            }

            try
            {
                _memory.RemoveExpired(_time.GetUtcNow());
                await Task.Run(Write, CancellationToken.None).ConfigureAwait(false);
            }
            catch
            {
                undo?.Invoke();
                throw;
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    private void Write()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            foreach (ConsentGrant grant in _memory.All())
            {
                ConsentGrantJson.Write(writer, grant);
            }

            writer.WriteEndArray();
        }

        _file.Write(buffer.WrittenSpan);
    }

    private bool TryLoad(JsonElement content)
    {
        if (content.ValueKind != JsonValueKind.Array)
        {
            return false;
        }

        var grants = new List<ConsentGrant>();
        foreach (JsonElement entry in content.EnumerateArray())
        {
            if (ConsentGrantJson.Read(entry) is not { } grant)
            {
                return false;
            }

            grants.Add(grant);
        }

        // All or nothing: half of a file is not what anyone agreed to.
        try
        {
            foreach (ConsentGrant grant in grants)
            {
                _memory.Add(grant);
            }
        }
        catch (InvalidOperationException)
        {
            foreach (ConsentGrant grant in _memory.All())
            {
                _memory.Revoke(grant.GrantId);
            }

            return false;
        }

        return true;
    }
}
