"""Threads, processes and memory: prefetching, writing behind, worker processes, malloc."""
