using System.CommandLine;
using Consensus.ServiceDefaults;

namespace Consensus.Agent.Commands;

/// <summary>A file that an option names and a command writes at its end. It is checked first, so no work is lost for its sake.</summary>
/// <param name="Option">The option's name.</param>
/// <param name="Path">The file, as it was given.</param>
internal sealed record OutputFile(string Option, string Path)
{
    /// <summary>Creates an option that names a file.</summary>
    public static Option<string?> CreateOption(string name, string description) =>
        new(name) { Description = description, HelpName = "FILE" };

    /// <summary>Reads the option, makes the file's folder, and tries whether the file can be written; null: none is given.</summary>
    /// <exception cref="ConfigurationException">It cannot be written; the message names what to change.</exception>
    public static OutputFile? Prepare(ParseResult parsed, Option<string?> option)
    {
        if (parsed.GetValue(option) is not { } path)
        {
            return null;
        }

        var file = new OutputFile(option.Name, path);
        file.Try(full =>
        {
            if (Directory.Exists(full))
            {
                throw new ConfigurationException($"{option.Name} is '{path}', which is a folder; name a file in it.");
            }

            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(full)!);
            var isNew = !File.Exists(full);
            using (File.Open(full, FileMode.OpenOrCreate, FileAccess.Write))
            {
            }

            if (isNew)
            {
                File.Delete(full);
            }
        });
        return file;
    }

    /// <summary>Writes it.</summary>
    /// <exception cref="ConfigurationException">It cannot be written any more.</exception>
    public void Write(Action<Stream> write) => Try(full =>
    {
        using var stream = File.Create(full);
        write(stream);
    });

    private void Try(Action<string> use)
    {
        try
        {
            use(System.IO.Path.GetFullPath(Path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ConfigurationException($"{Option}: '{Path}' cannot be written ({e.Message.TrimEnd('.')}); name another file.");
        }
    }
}
