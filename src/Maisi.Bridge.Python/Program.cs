// The worker process: the client starts this assembly with "dotnet exec"; "maisi python-worker" runs the same host.
Maisi.Bridge.Python.WorkerHost.Serve();
