package rtsp

import "errors"

// Why a session ends that did nothing wrong, or was turned down before it could.
var (
	errShutdown = errors.New("the server is going down; publish again in a moment")
	errClosed   = errors.New("the session is closed")
	errNothing  = errors.New("nothing has come from the host")
	errHungUp   = errors.New("the connection was closed without a goodbye")
	errBudget   = errors.New("it has sent too much without publishing")
)
