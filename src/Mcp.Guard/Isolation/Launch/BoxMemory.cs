using System.Globalization;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>
/// Sums what the processes of a box hold. They are all descendants of its first process, since a process namespace gives orphans to that one. A cheap sum
/// comes first, which counts shared pages in each process; only where that is near the limit are page tables walked.
/// </summary>
/// <param name="first">Id of the box's first process.</param>
/// <param name="processes">Where processes are read.</param>
/// <param name="time">Tells whether all ids can have been given out since the last look.</param>
internal sealed class BoxMemory(int first, ProcFiles processes, TimeProvider time)
{
    /// <summary>The cheap sum that ends a box without a closer look, as a multiple of the limit: the look costs time for each page, and shared pages become own ones when they are written.</summary>
    public const int MostShared = 8;

    /// <summary>
    /// Looks after which processes that were found outside are read again in any case. The kernel gives ids in turn and begins again below the last when they
    /// have run out, so before that an id belongs to whom it belonged at the last look, or to nobody.
    /// </summary>
    private const int LooksUntilFresh = 16;

    /// <summary>
    /// More ids than any kernel gives out in a second, forks that fail included: one lock guards them all. A box that uses up all ids between two looks and comes out above the
    /// last one would not be told from one that used a few.
    /// </summary>
    private const double MostIdsInASecond = 1_000_000;

    private const long TemporaryMagic = 0x01021994;
    private const int PageSize = 4096;

    private static readonly string[] s_temporary = ["/tmp", "/dev/shm"];

    // Since Linux 6.2 the counters of a process may lag behind by a batch of pages for each processor.
    private static readonly long s_lag = (long)PageSize * Environment.ProcessorCount * Math.Max(32, 2 * Environment.ProcessorCount);

    private readonly HashSet<int> _outside = [];
    private readonly Dictionary<int, int> _parents = [];
    private readonly List<Member> _members = [];
    private int _looks;
    private readonly int _mostIds = processes.MostIds();
    private int _lastId;
    private long _lookedAt = time.GetTimestamp();

    /// <summary>Looks once.</summary>
    /// <param name="limit">Up to which sum a cheap look is enough, in bytes.</param>
    public BoxReading Read(long limit)
    {
        FindMembers();
        if (_members.Count == 0)
        {
            return default;
        }

        long own = 0;
        long shared = 0;
        foreach (Member member in _members)
        {
            own += member.Memory.Private + member.Memory.Huge + member.Memory.Tables;
            shared += member.Memory.Shared;
        }

        long temporary = TemporaryFiles();
        long bytes = own + Math.Max(shared, temporary);
        if (bytes + (s_lag * _members.Count) > limit && bytes <= MostShared * limit)
        {
            bytes = ReadClosely(temporary, limit);
        }

        return new BoxReading(true, bytes, _members.Count);
    }

    private void FindMembers()
    {
        int last = processes.LastId();
        long now = time.GetTimestamp();
        bool usedUp = time.GetElapsedTime(_lookedAt, now).TotalSeconds * MostIdsInASecond >= _mostIds;
        if (_looks++ % LooksUntilFresh == 0 || last == 0 || last < _lastId || usedUp)
        {
            _outside.Clear();
        }

        _lookedAt = now;
        _lastId = last;
        _members.Clear();
        _parents.Clear();
        List<int> ids = processes.Ids();
        _outside.IntersectWith(ids);
        foreach (int id in ids)
        {
            if (!_outside.Contains(id) && processes.TryReadParent(id, out int parent))
            {
                _parents[id] = parent;
            }
        }

        if (!_parents.ContainsKey(first))
        {
            return;
        }

        foreach ((int id, int parent) in _parents)
        {
            switch (Belongs(id))
            {
                case true:
                    _members.Add(processes.TryReadStatus(id, out int told, out ProcessMemory memory) ? new Member(id, told, parent, memory) : new Member(id, id, parent, default));
                    break;
                case false:
                    _outside.Add(id);
                    break;
            }
        }
    }

    /// <summary>Null where a process on the way up has ended meanwhile, so that nothing is known.</summary>
    private bool? Belongs(int id)
    {
        for (int steps = 0; steps <= _parents.Count; steps++)
        {
            if (id == first)
            {
                return true;
            }

            if (id <= 1 || _outside.Contains(id))
            {
                return false;
            }

            if (!_parents.TryGetValue(id, out id))
            {
                return null;
            }
        }

        return null;
    }

    private long ReadClosely(long temporary, long limit)
    {
        long own = 0;
        long shared = 0;
        foreach (Member member in _members)
        {
            if (IsParentsMemory(member))
            {
                continue;
            }

            ProcessMemory memory = processes.TryReadRollup(member.Told, out ProcessMemory close) ? close with { Tables = member.Memory.Tables } : member.Memory;
            own += memory.Private + memory.Huge + memory.Tables;
            shared += memory.Shared;
            if (own + Math.Max(shared, temporary) > limit)
            {
                break; // enough is known
            }
        }

        return own + Math.Max(shared, temporary);
    }

    // Between vfork and exec a child is another process with the same memory.
    private bool IsParentsMemory(Member member)
    {
        foreach (Member other in _members)
        {
            if (other.Id == member.Parent)
            {
                return member.Memory.Total > 0 && processes.IsSameMemory(other.Told, member.Told);
            }
        }

        return false;
    }

    /// <summary>Bytes in the box's private folders, which no process need have mapped; 0 where they cannot be seen (their sizes bound them).</summary>
    private long TemporaryFiles()
    {
        long bytes = 0;
        foreach (string folder in s_temporary)
        {
            foreach (Member member in _members)
            {
                // The box's first process is bwrap's own, which the kernel may not let us see into.
                if ((member.Id != first || _members.Count == 1)
                    && LinuxNative.TryReadSpace(string.Create(CultureInfo.InvariantCulture, $"{processes.Folder}/{member.Told}/root{folder}"), TemporaryMagic, out long used))
                {
                    bytes += used;
                    break;
                }
            }
        }

        return bytes;
    }

    private readonly record struct Member(int Id, int Told, int Parent, ProcessMemory Memory);
}
