var builder = DistributedApplication.CreateBuilder(args);

// Any program that reads AGENT_ID, PORT and PEERS is an agent: three lines, three agents.
builder.AddConsensusCluster("consensus")
    .WithAgent(builder.AddExecutable("agent1", "python3", "../python", "ratified.py"))
    .WithAgent(builder.AddExecutable("agent2", "python3", "../python", "ratified.py"))
    .WithAgent(builder.AddExecutable("agent3", "python3", "../python", "ratified.py"));

builder.Build().Run();
