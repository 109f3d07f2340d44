Console.WriteLine("Consensus");
