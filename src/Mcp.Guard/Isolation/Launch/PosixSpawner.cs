using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>Calls posix_spawn with exact arguments, environment and descriptors; the only place on Linux where a program is started.</summary>
internal static class PosixSpawner
{
    // Where descriptors wait, at least; above every number a program is given, so that moving one into place never overwrites another that still waits.
    private const int Parking = 128;

    /// <summary>Starts the program and gives its process id. The caller waits for it.</summary>
    public static int Spawn(SpawnRequest request, IReadOnlyList<KeyValuePair<int, LinuxDescriptor>> descriptors)
    {
        IntPtr attributes = Marshal.AllocHGlobal(LinuxNative.StructRoom);
        IntPtr actions = Marshal.AllocHGlobal(LinuxNative.StructRoom);
        var parked = new List<LinuxDescriptor>(descriptors.Count);
        IntPtr[] arguments = [];
        IntPtr[] environment = [];
        bool attributesMade = false;
        bool actionsMade = false;
        try
        {
            Check(LinuxNative.SpawnAttributesInit(attributes), request);
            attributesMade = true;
            Check(LinuxNative.FileActionsInit(actions), request);
            actionsMade = true;
            SetSignals(attributes, request);
            int highest = descriptors.Aggregate(2, static (most, entry) => Math.Max(most, entry.Key));
            foreach ((int number, LinuxDescriptor descriptor) in descriptors)
            {
                LinuxDescriptor park = descriptor.DuplicateAbove(Math.Max(Parking, highest + 1));
                parked.Add(park);
                Check(LinuxNative.FileActionsDuplicate(actions, park.Number, number), request);
            }

            CloseOthers(actions, highest + 1, request);
            Check(LinuxNative.FileActionsChangeFolder(actions, LinuxDescriptor.ToCString(request.WorkingDirectory)), request);
            arguments = ToNative([request.Executable, .. request.Arguments]);
            environment = ToNative([.. request.Environment.Select(entry => $"{entry.Key}={entry.Value}")]);
            Check(LinuxNative.PosixSpawn(out int pid, LinuxDescriptor.ToCString(request.Executable), actions, attributes, arguments, environment), request);
            return pid;
        }
        finally
        {
            Free(arguments);
            Free(environment);
            parked.ForEach(static descriptor => descriptor.Dispose());
            if (actionsMade)
            {
                _ = LinuxNative.FileActionsDestroy(actions);
            }

            if (attributesMade)
            {
                _ = LinuxNative.SpawnAttributesDestroy(attributes);
            }

            Marshal.FreeHGlobal(actions);
            Marshal.FreeHGlobal(attributes);
        }
    }

    // .NET ignores SIGPIPE and may block signals on this thread; a program expects neither.
    private static void SetSignals(IntPtr attributes, SpawnRequest request)
    {
        byte[] all = new byte[LinuxNative.SignalSetRoom];
        byte[] none = new byte[LinuxNative.SignalSetRoom];
        _ = LinuxNative.FillSignalSet(all);
        Check(LinuxNative.SpawnAttributesSetDefaultSignals(attributes, all), request);
        Check(LinuxNative.SpawnAttributesSetMask(attributes, none), request);
        Check(LinuxNative.SpawnAttributesSetFlags(attributes, LinuxNative.SpawnFlags), request);
    }

    private static void CloseOthers(IntPtr actions, int first, SpawnRequest request)
    {
        try
        {
            Check(LinuxNative.FileActionsCloseFrom(actions, first), request);
        }
        catch (EntryPointNotFoundException)
        {
            // musl, old glibc: close what is open now. The runtime opens its own descriptors close-on-exec, so what a native library
            // opens between this listing and the start is all that could be missed.
            foreach (string entry in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
            {
                if (int.TryParse(Path.GetFileName(entry.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int open) && open >= first)
                {
                    Check(LinuxNative.FileActionsClose(actions, open), request);
                }
            }
        }
    }

    private static IntPtr[] ToNative(IReadOnlyList<string> texts)
    {
        var native = new IntPtr[texts.Count + 1];
        for (int i = 0; i < texts.Count; i++)
        {
            native[i] = Marshal.StringToCoTaskMemUTF8(texts[i]);
        }

        return native;
    }

    private static void Free(IntPtr[] native)
    {
        foreach (IntPtr text in native)
        {
            // Environment values may be secrets.
            Marshal.ZeroFreeCoTaskMemUTF8(text);
        }
    }

    private static void Check(int error, SpawnRequest request)
    {
        if (error != 0)
        {
            throw new Win32Exception(error, $"cannot start {request.Executable}: {new Win32Exception(error).Message}");
        }
    }
}
