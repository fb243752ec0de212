"""How long a test waits for another thread before it says that nothing comes.

A test that goes well does not wait; a busy machine may leave a thread aside for many seconds.
"""

PATIENCE_S = 60.0
