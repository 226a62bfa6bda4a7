"""The seconds that each wait for the database may take, from the inside out.

What may be sent twice gets less time at first, since a connection that died while its environment
was frozen says nothing. With the key set's time all of it stays within the 10 s after which the
contract promises a 503, and far below the function's and the gateway's own limits.
"""

LOCK = 2
FIRST_TRY = 3
STATEMENT = 5
ADDRESS = 2
CONNECT = 3
REQUEST = 8
IDLE = 300  # AWS drops an idle connection after 350 s, and tells neither end
