namespace Mcp.Guard.Stages.Roots;

/// <summary>The audit text of each <see cref="PathDenial"/>. Constant texts: a denial allocates nothing and repeats nothing of the input.</summary>
internal static class PathDenials
{
    public static string Describe(PathDenial denial) => denial switch
    {
        PathDenial.NoValidRoot => "no valid root is configured, so no path is allowed",
        PathDenial.Empty => "the path is empty or blank",
        PathDenial.TooLong => "the path is longer than the system can open (4,096 bytes, on Windows 32,767 characters)",
        PathDenial.Nul => "the path contains NUL",
        PathDenial.ControlCharacter => "the path contains a control character",
        PathDenial.LoneSurrogate => "the path contains half a surrogate pair and cannot be encoded",
        PathDenial.HiddenCharacter => "the path contains a bidirectional control or a zero width character",
        PathDenial.OptionLike => "the path starts with '-' and would be read as an option; write ./-name",
        PathDenial.HomeExpansion => "the path starts with a tilde that a server may expand to a home directory",
        PathDenial.VariableExpansion => "the path starts with a variable or a command substitution that a server may expand",
        PathDenial.Scheme => "the text is a URI where a path is due",
        PathDenial.DriveOnUnix => "the path starts with a drive, which this system does not have",
        PathDenial.DotsOnlySegment => "a segment consists of three or more dots",
        PathDenial.DevicePath => @"device paths (\\?\, \\.\, \??\) skip the system's own normalisation",
        PathDenial.NetworkShare => "the path names a network share that no root covers",
        PathDenial.NoDrive => "the path starts at the current drive or its current directory; name the drive and start at its root",
        PathDenial.Stream => "a colon names an alternate data stream",
        PathDenial.ForbiddenCharacter => "the path contains a character that Windows reserves",
        PathDenial.TrailingDotOrBlank => "a segment ends in a dot or a blank, which Windows drops",
        PathDenial.ReservedName => "a segment is a reserved device name",
        PathDenial.ShortName => "a segment looks like a short (8.3) name, which can stand for another name",
        PathDenial.NotAFileUri => "the text is not a file URI",
        PathDenial.UriAuthority => "the file URI names a host, a user or a port",
        PathDenial.UriPath => "the file URI has no absolute path, or one that starts with two slashes",
        PathDenial.UriEscape => "the file URI has a malformed escape, or an encoded slash, backslash or NUL",
        PathDenial.UriQueryOrFragment => "the file URI has a query or a fragment",
        PathDenial.InvalidBase => "the base directory is not an absolute path",
        PathDenial.Outside => "the path lies outside every root",
        PathDenial.OutsideByLink => "a link leads outside every root",
        PathDenial.AmbiguousDotDot => "dot-dot after a link names one file by its text and another on the disk",
        PathDenial.LinkLoop => "more than 40 links, or links in a circle",
        PathDenial.Unreadable => "a folder on the way cannot be read, so its links cannot be resolved",
        PathDenial.SecondReading => "another plausible reading of the path (decoded, folded or trimmed) leaves the roots",
        PathDenial.TooManyReadings => "the path can be read in too many ways",
        PathDenial.ReadOnlyRoot => "the root permits reading only",
        PathDenial.SafeOpenUnavailable => "opening without following links is not available on this system",
        PathDenial.ChangedSinceCheck => "a part of the path became a link or vanished after the check",
        PathDenial.NotARegularFile => "the path does not name a regular file",
        PathDenial.GuardFile => "the guard's own files are out of reach",
        _ => "the path was not judged",
    };
}
