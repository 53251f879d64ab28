package admin

import "time"

// Stream is a show as operators see it. Times are RFC 3339 in UTC; rates are measured over the last few
// seconds and are zero before.
type Stream struct {
	Name  string `json:"name"`
	Epoch string `json:"epoch"` // part of the media URLs, unlike that of any other show
	// State is "waiting" (a host has connected, nothing has come yet), "live", "interrupted" (the host
	// has gone and may come back), "ended" (can still be watched for a while) or "away" (it is to be fetched from a
	// camera, and has not come yet: Camera says why).
	State string    `json:"state"`
	Since time.Time `json:"since"` // when the state began
	// Start is when the show began; left out if it has not.
	Start time.Time `json:"start,omitzero"`
	// Host is where the show comes from at present, or came from last.
	Host Host `json:"host"`
	// Contributors are those who stand beside the host at present: interpreters, renditions on connections of
	// their own, the server's own transcoder.
	Contributors []Contributor `json:"contributors"`
	// Sessions counts the connections that have published the show.
	Sessions int `json:"sessions"`
	// Viewers is an estimate of the players that watch through this server. Behind a CDN it counts the
	// CDN's own requests.
	Viewers       int     `json:"viewers"`
	ReceivedBytes int64   `json:"received_bytes"`
	Tracks        []Track `json:"tracks"`
	// Repairs counts what had to be mended, by kind.
	Repairs map[string]int64 `json:"repairs"`
	// Remarks are the last few things that went wrong, in words, oldest first.
	Remarks []Remark `json:"remarks"`
	// Ladder is how the renditions are doing that the server makes itself; null if none are configured.
	Ladder *Ladder `json:"ladder,omitempty"`
	// Camera is how the fetching of a show is doing that comes from a camera; left out for others.
	Camera *Camera `json:"camera,omitempty"`
	// Page is the address of the viewers' page, for whoever reaches this server by the name in the request; left out if there is
	// none.
	Page string `json:"page,omitempty"`
	// Sound is how the sound is doing that the server makes itself; left out if it makes none.
	Sound []Sound `json:"sound,omitempty"`
}

// Camera is where a show is fetched from.
type Camera struct {
	Up    bool  `json:"up"`    // it is being fetched
	Tries int64 `json:"tries"` // connections that have been made, or tried
	// Trouble is what was wrong at the last try; empty while the show is fetched, and before the first try.
	Trouble string `json:"trouble"`
}

// Host is a publisher.
type Host struct {
	Protocol string `json:"protocol"` // "rtmp", "rtmps", ...
	Remote   string `json:"remote"`   // address and port
	Encoder  string `json:"encoder"`  // what it calls itself; may be empty
}

// Contributor is one who stands beside the host.
type Contributor struct {
	// Role is unlike that of the show's other contributors: "720p" for a rendition of the picture, "@fr" for
	// a language, "ladder" and "sound" for the server's own transcoders, "mix@fr" for what one makes of a voice.
	Role  string    `json:"role"`
	Since time.Time `json:"since"`
	Host
	// Tracks are the IDs of its tracks that viewers can have at present.
	Tracks []int `json:"tracks"`
}

// Track is one track of the show.
type Track struct {
	ID       int    `json:"id"`
	Kind     string `json:"kind"`             // "video", "audio", "data"
	Codec    string `json:"codec"`            // "h264", "hevc", "av1", "aac", "opus", "amf0"
	Codecs   string `json:"codecs,omitempty"` // as in CODECS of a playlist
	Language string `json:"language,omitempty"`
	// Label is what a person calls the rendition.
	Label string `json:"label,omitempty"`

	Width      int `json:"width,omitempty"`
	Height     int `json:"height,omitempty"`
	SampleRate int `json:"sample_rate,omitempty"` // Hz
	Channels   int `json:"channels,omitempty"`

	BitRate int `json:"bit_rate"` // bits a second
	// FrameRate is in pictures a second; video only.
	FrameRate float64 `json:"frame_rate,omitempty"`
	// KeyframeInterval is the time between the last two keyframes, in seconds; video only.
	KeyframeInterval float64 `json:"keyframe_interval,omitempty"`
}

// Remark is a sentence about a show.
type Remark struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}
