# The check in Python, with its standard library.
import sys
from http.client import HTTPConnection

connection = HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=5)
connection.request("GET", "/up")
answer = connection.getresponse()
answer.read()
sys.exit(0 if answer.status == 200 and answer.getheader("x-release") == sys.argv[2] else 1)
