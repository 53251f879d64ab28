package obs

import (
	"encoding/json"
	"errors"
	"html"
	"io"
	"slices"
	"strings"
)

// Config is the answer that OBS reads. All fields that it demands are written.
type Config struct {
	Meta      Meta           `json:"meta"`
	Status    *Status        `json:"status,omitempty"`
	Endpoints []Endpoint     `json:"ingest_endpoints"`
	Video     []VideoEncoder `json:"encoder_configurations"`
	Audio     Audio          `json:"audio_configurations"`
}

// Meta says what kind of answer it is.
type Meta struct {
	Service       string `json:"service"`
	SchemaVersion string `json:"schema_version"`
	ConfigID      string `json:"config_id"` // OBS would append it to the stream key
}

// Status is what OBS shows to the host.
type Status struct {
	Result string `json:"result"` // "success", "warning", "error"
	HTML   string `json:"html_en_us,omitempty"`
}

// Endpoint is where to publish. A server address that the host has typed in comes before it.
type Endpoint struct {
	Protocol    string `json:"protocol"`     // "RTMP" or "RTMPS"
	URLTemplate string `json:"url_template"` // ends in "/{stream_key}"
}

// VideoEncoder is one rendition.
type VideoEncoder struct {
	Type         string         `json:"type"`
	Width        int            `json:"width"`
	Height       int            `json:"height"`
	Framerate    Fraction       `json:"framerate"`
	GPUScaleType string         `json:"gpu_scale_type"`
	Settings     map[string]any `json:"settings"`
	CanvasIndex  int            `json:"canvas_index"`
}

// Fraction is pictures a second.
type Fraction struct {
	Numerator   int `json:"numerator"`
	Denominator int `json:"denominator"`
}

// Audio is the sound: one track, and another for recordings if the host has asked for one.
type Audio struct {
	Live []AudioEncoder `json:"live"`
	VOD  []AudioEncoder `json:"vod,omitempty"`
}

// AudioEncoder is one sound.
type AudioEncoder struct {
	Codec    string         `json:"codec"`
	TrackID  int            `json:"track_id"`
	Channels int            `json:"channels"`
	Settings map[string]any `json:"settings"`
}

const (
	service = "IVS" // what OBS calls the interface
	schema  = "2025-01-25"
	// maxRequest bounds what OBS may post; a request with four GPUs has some 2 KiB.
	maxRequest = 64 << 10
)

// request is what OBS posts, as far as it matters.
type request struct {
	Authentication string `json:"authentication"` // the stream key
	Client         client `json:"client"`
	Capabilities   struct {
		GPU []struct {
			VendorID int `json:"vendor_id"`
		} `json:"gpu"`
		System struct {
			Name string `json:"name"`
			Arm  bool   `json:"arm"`
		} `json:"system"`
	} `json:"capabilities"`
	Preferences struct {
		MaximumAggregateBitrate *uint64         `json:"maximum_aggregate_bitrate"` // kbit/s
		MaximumVideoTracks      *uint32         `json:"maximum_video_tracks"`
		VODTrackAudio           bool            `json:"vod_track_audio"`
		AudioChannels           int             `json:"audio_channels"`
		canvasMessage                           // schema 2024-06-04
		Canvases                []canvasMessage `json:"canvases"` // schema 2025-01-25
	} `json:"preferences"`
}

type client struct {
	Version           string   `json:"version"`
	SupportedCodecs   []string `json:"supported_codecs"`
	SupportedEncoders []string `json:"supported_encoders"`
}

// canvasMessage is a canvas in OBS's words: Width and Height are those of the output, which may be scaled.
type canvasMessage struct {
	Width     int      `json:"width"`
	Height    int      `json:"height"`
	Framerate Fraction `json:"framerate"`
}

// readRequest reads what OBS posts.
func readRequest(body io.Reader) (*request, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxRequest+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxRequest:
		return nil, errors.New("the request is longer than any that OBS sends")
	}
	r := new(request)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, errors.New("the request is not what OBS asks for a multitrack configuration with")
	}
	return r, nil
}

// canvas returns the first one of the request.
func (r *request) canvas() (Canvas, bool) {
	m := r.Preferences.canvasMessage
	if len(r.Preferences.Canvases) > 0 {
		m = r.Preferences.Canvases[0]
	}
	c := Canvas{m.Width, m.Height, m.Framerate.Numerator, m.Framerate.Denominator}
	return c, c.valid()
}

// supports reports whether OBS has said that it has encoders for a codec.
func (r *request) supports(codec string) bool {
	if codec == "hevc" {
		codec = "h265"
	}
	return slices.Contains(r.Client.SupportedCodecs, codec)
}

// answer makes the configuration for what OBS has asked.
func (r *request) answer(rungs []Rung, endpoints []Endpoint) (Config, error) {
	c, ok := r.canvas()
	if !ok {
		return Config{}, errors.New("OBS has said nothing sensible about the size and frame rate of its canvas: look at Settings, Video")
	}
	most, tracks := 0, 0
	if p := r.Preferences.MaximumAggregateBitrate; p != nil {
		most = int(min(*p, maxTracks*maxRate/1000)) * 1000
	}
	if p := r.Preferences.MaximumVideoTracks; p != nil {
		tracks = int(min(*p, maxTracks))
	}
	conf := newConfig(endpoints)
	conf.Status = &Status{Result: "success"}
	by := r.make()
	for _, v := range renditions(rungs, c, most, tracks) {
		conf.Video = append(conf.Video, v.configure(by, r.supports, c))
	}
	sound := conf.Audio.Live[0]
	if n := r.Preferences.AudioChannels; n > 0 && n <= 8 {
		sound.Channels = n
	}
	conf.Audio.Live[0] = sound
	if r.Preferences.VODTrackAudio {
		sound.TrackID = 2
		conf.Audio.VOD = []AudioEncoder{sound}
	}
	return conf, nil
}

// newConfig returns one without pictures.
func newConfig(endpoints []Endpoint) Config {
	return Config{
		Meta:      Meta{Service: service, SchemaVersion: schema},
		Endpoints: append([]Endpoint{}, endpoints...), Video: []VideoEncoder{},
		Audio: Audio{Live: []AudioEncoder{{Codec: "aac", TrackID: 1, Channels: 2, Settings: map[string]any{"bitrate": audioRate / 1000}}}},
	}
}

// refusal is an answer that OBS shows to the host, who then can't go live.
func refusal(sentence string) Config {
	conf := newConfig(nil)
	conf.Status = &Status{Result: "error", HTML: html.EscapeString(sentence)}
	return conf
}

// Override is the configuration to paste into OBS's "Config Override (JSON)", for a canvas and a make of
// encoder (see Makes; empty: x264). It has no stream key: OBS takes the one in its settings, and writes pasted
// text into its log.
func Override(rungs []Rung, c Canvas, by string, endpoints []Endpoint) (Config, error) {
	if by == "" {
		by = "x264"
	}
	if err := checkMake(by); err != nil {
		return Config{}, err
	}
	if c == (Canvas{}) {
		c = usual
	}
	if !c.valid() {
		return Config{}, errors.New("the canvas makes no sense: give a size such as 1920x1080 and a frame rate from 1 to 240")
	}
	if len(rungs) == 0 {
		rungs = DefaultRungs
	}
	conf := newConfig(endpoints)
	all := func(string) bool { return true }
	for _, v := range renditions(rungs, c, 0, 0) {
		conf.Video = append(conf.Video, v.configure(by, all, c))
	}
	return conf, nil
}

// String returns the configuration as people paste it.
func (c Config) String() string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false) // as in /{stream_key}
	if err := e.Encode(c); err != nil {
		panic(err) // strings, numbers and booleans are JSON
	}
	return b.String()
}
