package rtmp

// FormatError says what a client did against the protocol. It costs its connection.
type FormatError string

// Error returns the sentence.
func (e FormatError) Error() string { return "rtmp: " + string(e) }

// UnsupportedError names something that is legal but not done here.
type UnsupportedError string

// Error returns the sentence.
func (e UnsupportedError) Error() string { return "rtmp: " + string(e) + " is not supported" }
