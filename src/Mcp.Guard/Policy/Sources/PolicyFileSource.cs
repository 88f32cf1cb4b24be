using System.Security.Cryptography;

namespace Mcp.Guard.Policy;

/// <summary>
/// A policy file that is read again when its content changes. A change that cannot be read, or that the host cannot use, is reported once and the last
/// good policy stays in force. Notifications of the system only hasten what polling finds anyway.
/// </summary>
internal sealed class PolicyFileSource : IPolicySource, IDisposable
{
    private readonly string _path;
    private readonly ISchemaCompiler _schemas;
    private readonly PolicyFileOptions _options;
    private readonly Lock _gate = new();
    private readonly ITimer _debounce;
    private readonly ITimer _poll;
    private readonly FileSystemWatcher? _watcher;
    private PolicySnapshot _current;
    private Action<PolicyChange>[] _listeners = [];
    private byte[] _seen;
    private bool _refused;
    private bool _disposed;

    /// <summary>Reads the file and begins to watch it.</summary>
    /// <exception cref="McpGuardPolicyException">The file is missing, cannot be read, or is not acceptable.</exception>
    public PolicyFileSource(string path, ISchemaCompiler schemas, TimeProvider time, PolicyFileOptions? options = null)
    {
        _path = Path.GetFullPath(path);
        _schemas = schemas;
        _options = options ?? PolicyFileOptions.Default;
        (_current, _seen) = Load();
        _debounce = time.CreateTimer(static state => ((PolicyFileSource)state!).Reload(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _poll = time.CreateTimer(static state => ((PolicyFileSource)state!).Reload(), this, _options.PollInterval, _options.PollInterval);
        _watcher = _options.UseNotifications ? Watch() : null;
    }

    public PolicySnapshot Current => Volatile.Read(ref _current);

    public IDisposable OnChange(Action<PolicyChange> listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        // A subscription of its own: the same delegate may be given twice and taken back once.
        Action<PolicyChange> own = change => listener(change);
        lock (_gate)
        {
            _listeners = [.. _listeners, own];
        }

        return new Subscription(this, own);
    }

    /// <summary>Reads the file now, where its content is not the one that was judged last.</summary>
    public void Reload()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            PolicyChange? change = TryReload();
            foreach (Action<PolicyChange> listener in change is null ? [] : _listeners)
            {
                try
                {
                    listener(change!);
                }
                catch (Exception)
                {
                    // One listener's fault may neither hide the change from the others nor end the watch.
                }
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _listeners = [];
        }

        _watcher?.Dispose();
        _poll.Dispose();
        _debounce.Dispose();
    }

    private PolicyChange? TryReload()
    {
        try
        {
            byte[] content = ReadFile();
            byte[] hash = SHA256.HashData(content);
            if (hash.AsSpan().SequenceEqual(_seen))
            {
                return null;
            }

            // What was seen is noted first, so that a bad file is reported once and not at every poll.
            _seen = hash;
            PolicySnapshot next = PolicyReader.Read(content, _path, _schemas, _options.Read);
            if (_options.Objection?.Invoke(next) is { } objection)
            {
                throw Failure($"the new policy cannot be used here: {objection}", "Correct the policy, or restart the host");
            }

            bool same = string.Equals(next.Revision, _current.Revision, StringComparison.Ordinal);
            bool recovered = _refused;
            _refused = false;
            Volatile.Write(ref _current, next);
            return same && !recovered ? null : PolicyChange.Accepted(next);
        }
        catch (Exception e)
        {
            // A file that is gone or locked has no content to remember: it is reported when it becomes so, not at every poll.
            if (e is IOException or UnauthorizedAccessException)
            {
                byte[] unreadable = SHA256.HashData(System.Text.Encoding.UTF8.GetBytes("unreadable:" + e.GetType().Name));
                if (unreadable.AsSpan().SequenceEqual(_seen))
                {
                    return null;
                }

                _seen = unreadable;
                e = Unreadable(e);
            }

            _refused = true;
            return PolicyChange.Refused(_current, e);
        }
    }

    private (PolicySnapshot Snapshot, byte[] Hash) Load()
    {
        byte[] content;
        try
        {
            content = ReadFile();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(e);
        }

        return (PolicyReader.Read(content, _path, _schemas, _options.Read), SHA256.HashData(content));
    }

    private byte[] ReadFile()
    {
        using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        // One byte more than permitted is enough to be refused by the reader.
        byte[] buffer = new byte[Math.Min(file.CanSeek ? file.Length : PolicyParser.MaxBytes, PolicyParser.MaxBytes) + 1];
        int length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return buffer[..length];
    }

    private McpGuardPolicyException Unreadable(Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => Failure("the policy file does not exist", "Create it, or correct the path", e),
        UnauthorizedAccessException => Failure("the policy file may not be read", "Give the host's user the right to read it, and nobody else the right to write it", e),
        _ => Failure($"the policy file cannot be read: {e.Message}", "Correct what keeps it from being read", e),
    };

    private McpGuardPolicyException Failure(string message, string fix, Exception? cause = null) =>
        new([new GuardPolicyError(_path, 0, 0, string.Empty, message, fix)], cause);

    private FileSystemWatcher? Watch()
    {
        try
        {
            var watcher = new FileSystemWatcher(Path.GetDirectoryName(_path)!)
            {
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.CreationTime,
            };
            // Every name counts: a file that is a link changes when something beside it is exchanged.
            watcher.Changed += (_, _) => Hasten();
            watcher.Created += (_, _) => Hasten();
            watcher.Deleted += (_, _) => Hasten();
            watcher.Renamed += (_, _) => Hasten();
            watcher.Error += (_, _) => Hasten();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception e) when (e is IOException or ArgumentException or PlatformNotSupportedException)
        {
            // No notifications here (no handles left, no such folder any more): polling finds the change.
            return null;
        }
    }

    private void Hasten()
    {
        try
        {
            _debounce.Change(_options.Debounce, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // A notification that was on its way while the source was disposed.
        }
    }

    private void Unsubscribe(Action<PolicyChange> listener)
    {
        lock (_gate)
        {
            _listeners = [.. _listeners.Where(known => !ReferenceEquals(known, listener))];
        }
    }

    private sealed class Subscription(PolicyFileSource source, Action<PolicyChange> listener) : IDisposable
    {
        public void Dispose() => source.Unsubscribe(listener);
    }
}
