namespace Mcp.Guard.Audit;

/// <summary>The file operations of the log, and no others: a narrow layer, so that tests can fail, shorten and delay each of them.</summary>
internal interface IAuditStorage
{
    /// <summary>Makes the folder, for the current user only, where it does not exist.</summary>
    void CreateDirectory(string directory);

    /// <summary>Takes the folder for this process alone until disposed.</summary>
    /// <exception cref="AuditUnavailableException">Another process holds it.</exception>
    IDisposable Lock(string directory);

    /// <summary>The names (without folder) of the files in the folder.</summary>
    IReadOnlyList<string> List(string directory);

    /// <summary>Opens a file for writing. A new file must not exist, an existing one must.</summary>
    IAuditStorageFile Open(string path, bool createNew);

    /// <summary>Opens a file for reading while it may be written.</summary>
    Stream OpenRead(string path);

    bool Exists(string path);

    /// <summary>Renames a file over an existing one, at once or not at all.</summary>
    void Rename(string path, string newPath);

    void Delete(string path);

    /// <summary>Makes created, renamed and deleted names in the folder survive a loss of power.</summary>
    void SyncDirectory(string directory);
}
