package rtsp

import "errors"

// Why a session ends that did nothing wrong, or was turned down before it could.
var (
	errShutdown  = errors.New("the server is going down; publish again in a moment")
	errMadeRoom  = errors.New("it did not publish, and newer connections needed the room")
	errClosed    = errors.New("the session is closed")
	errHungUp    = errors.New("the connection was closed without a goodbye")
	errBudget    = errors.New("it has sent too much without publishing")
	errAddresses = errors.New("its address has as many connections as max_connections_per_address allows")
	errCrowded   = errors.New("there are as many connections as max_connections allows")
)
