using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>Makes every draw a branch. A step is repeated with the next script until all scripts were tried.</summary>
internal sealed class ChoiceEnumerator : IRandomSource
{
    private readonly List<(int Choice, int Bound)> _script = [];
    private int _position;

    public int Next(int bound)
    {
        if (_position == _script.Count)
        {
            _script.Add((0, bound));
        }

        return _script[_position++].Choice;
    }

    /// <summary>Begins the scripts of another step.</summary>
    public void Begin() => (_position, _) = (0, _script.RemoveAll(_ => true));

    /// <summary>Goes to the next script.</summary>
    /// <returns>False when all scripts were tried.</returns>
    public bool Advance()
    {
        _position = 0;
        while (_script.Count > 0)
        {
            var (choice, bound) = _script[^1];
            _script.RemoveAt(_script.Count - 1);
            if (choice + 1 < bound)
            {
                _script.Add((choice + 1, bound));
                return true;
            }
        }

        return false;
    }
}
