package admin

// Ladder is what the server's own transcoding makes of a show.
type Ladder struct {
	// State is "idle" (the host is away), "off" (there is nothing to do, or nothing to do it with), "waiting" (as
	// many shows are transcoded as may be), "starting", "running" or "resting" (after a failure).
	State string `json:"state"`
	// Why says why it is not running, or not whole.
	Why string `json:"why,omitempty"`
	// Failures counts how often ffmpeg has died, hung or fallen behind.
	Failures int    `json:"failures"`
	Rungs    []Rung `json:"rungs"`
}

// Rung is one rendition of a Ladder.
type Rung struct {
	Label string `json:"label"` // "720p"
	// State is "on", "off" (at present) or "dropped" (the ladder could not be made with it).
	State   string `json:"state"`
	Encoder string `json:"encoder"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
	BitRate int    `json:"bit_rate"` // bits a second; what the encoder is told
	// Lag is how far the rung is behind the host's own rendition, in seconds of media; Latency what a picture
	// takes through ffmpeg, in seconds.
	Lag     float64 `json:"lag"`
	Latency float64 `json:"latency"`
}
