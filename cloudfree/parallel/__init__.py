"""Threads, processes and memory: prefetching, asynchronous writing, worker processes, malloc."""
