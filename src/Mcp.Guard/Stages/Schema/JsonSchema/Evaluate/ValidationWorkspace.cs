namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// The memory of one validation, kept for the next one on the same thread, so that the usual validation allocates nothing. It holds
/// positions and decoded strings, never a schema or a result.
/// </summary>
internal sealed class ValidationWorkspace
{
    /// <summary>A workspace that grew beyond this many tokens is left to the collector, so that one large text does not stay for ever.</summary>
    private const int MaxKeptTokens = 8_192;

    private const int MaxKeptBytes = 64 * 1024;

    [ThreadStatic]
    private static ValidationWorkspace? s_kept;

    private ulong[] _bits = new ulong[16];
    private ulong[] _memoKeys = [];
    private bool[] _memoAnswers = [];
    private int _memoCount;

    public JsonTape Tape { get; } = new();

    /// <summary>Indexes of the resources entered, outermost first; only programs with dynamic references use it.</summary>
    public int[] Scope { get; private set; } = [];

    /// <summary>The bit sets of evaluated members and items, one after the other.</summary>
    public ulong[] Bits => _bits;

    public static ValidationWorkspace Take()
    {
        ValidationWorkspace workspace = s_kept ?? new ValidationWorkspace();
        s_kept = null;
        return workspace;
    }

    public void Return()
    {
        if (Tape.Tokens.Length <= MaxKeptTokens && Tape.Decoded.Length <= MaxKeptBytes && _memoKeys.Length <= MaxKeptTokens && _bits.Length <= MaxKeptTokens)
        {
            s_kept = this;
        }
    }

    public void EnsureScope(int length)
    {
        if (Scope.Length < length)
        {
            int[] scope = Scope;
            Array.Resize(ref scope, Math.Max(64, length * 2));
            Scope = scope;
        }
    }

    public ulong[] EnsureBits(int words)
    {
        if (_bits.Length < words)
        {
            Array.Resize(ref _bits, Math.Max(words, _bits.Length * 2));
        }

        return _bits;
    }

    public void ClearMemo()
    {
        if (_memoCount > 0)
        {
            Array.Clear(_memoKeys);
            _memoCount = 0;
        }
    }

    public bool TryRecall(int memo, int token, out bool answer)
    {
        answer = false;
        if (_memoCount == 0)
        {
            return false;
        }

        int slot = Slot(Key(memo, token));
        answer = _memoAnswers[slot];
        return _memoKeys[slot] != 0;
    }

    /// <summary>Keeps an answer. The step limit bounds how many there can be.</summary>
    public void Remember(int memo, int token, bool answer)
    {
        if ((_memoCount + 1) * 2 > _memoKeys.Length)
        {
            GrowMemo();
        }

        ulong key = Key(memo, token);
        int slot = Slot(key);
        _memoCount += _memoKeys[slot] == 0 ? 1 : 0;
        _memoKeys[slot] = key;
        _memoAnswers[slot] = answer;
    }

    private static ulong Key(int memo, int token) => ((ulong)(uint)(memo + 1) << 32) | (uint)token;

    private int Slot(ulong key)
    {
        int mask = _memoKeys.Length - 1;
        int slot = (int)((key * 0x9E3779B97F4A7C15) >> 33) & mask;
        while (_memoKeys[slot] != 0 && _memoKeys[slot] != key)
        {
            slot = (slot + 1) & mask;
        }

        return slot;
    }

    private void GrowMemo()
    {
        ulong[] keys = _memoKeys;
        bool[] answers = _memoAnswers;
        _memoKeys = new ulong[Math.Max(64, keys.Length * 2)];
        _memoAnswers = new bool[_memoKeys.Length];
        for (int i = 0; i < keys.Length; i++)
        {
            if (keys[i] != 0)
            {
                int slot = Slot(keys[i]);
                _memoKeys[slot] = keys[i];
                _memoAnswers[slot] = answers[i];
            }
        }
    }
}
