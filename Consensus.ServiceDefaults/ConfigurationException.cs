namespace Consensus.ServiceDefaults;

/// <summary>The configuration cannot work; the message names what to change, in one line.</summary>
public sealed class ConfigurationException(string message) : Exception(message);
