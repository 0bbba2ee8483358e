// With a file like this one, a package may have functions without a body: those of the engine, where it is compiled for this machine.
