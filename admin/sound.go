package admin

// Sound is what the server makes of a show's sound.
type Sound struct {
	// Role is what it is called among the contributors: "sound" for what is made of the host's own, "mix@fr" for
	// a voice with the host's own sound under it.
	Role string `json:"role"`
	// State is "idle" (there is nothing to do at present), "off" (there is nothing to do it with), "waiting" (there are as many
	// processes as may be), "starting", "running", "resting" (after a failure) or "plain" (the voice is offered
	// alone, as it is).
	State string `json:"state"`
	// Why says why it is not running, or not whole.
	Why string `json:"why,omitempty"`
	// Failures counts how often ffmpeg has died, hung or fallen behind.
	Failures int `json:"failures"`
	// Lag is how far it is behind what it is made of, in seconds of media.
	Lag    float64      `json:"lag"`
	Tracks []SoundTrack `json:"tracks"`
}

// SoundTrack is one track that is made.
type SoundTrack struct {
	Language string `json:"language,omitempty"`
	Label    string `json:"label,omitempty"`
	// Group is the quality that rungs of the ladder name; empty for what goes with the host's own pictures.
	Group   string `json:"group,omitempty"`
	BitRate int    `json:"bit_rate"` // bits a second; what the encoder is told
}
