package m3u8

import (
	"math"
	"strconv"
)

// Multivariant is a multivariant playlist.
type Multivariant struct {
	IndependentSegments bool
	// NoCaptions says of all variants that there are no closed captions in them. It is not said of some alone (rfc8216bis 4.4.6.2).
	NoCaptions bool
	Audio      []AudioRendition
	Variants   []Variant
	// IFrames are the playlists of key pictures alone, EXT-X-I-FRAME-STREAM-INF: without FrameRate, AudioGroup
	// and Name.
	IFrames     []Variant
	SessionData []Attribute // DATA-ID and URI
}

// AudioRendition is EXT-X-MEDIA of TYPE=AUDIO.
type AudioRendition struct {
	Group, Name, Language string
	URI                   string // empty: the audio is in the variant itself
	Default, AutoSelect   bool   // Default implies AutoSelect
	Channels              int    // zero: left out
	StableID              string // STABLE-RENDITION-ID; empty: left out
}

// Variant is EXT-X-STREAM-INF.
type Variant struct {
	URI                         string
	Bandwidth, AverageBandwidth int // bits a second; AverageBandwidth zero: left out
	Codecs                      []string
	Width, Height               int     // zero: no RESOLUTION
	FrameRate                   float64 // zero: left out
	VideoRange                  string  // SDR, PQ, HLG; anything else: left out
	Score                       float64 // how good it looks beside the others; zero: left out
	AudioGroup                  string
	StableID                    string // STABLE-VARIANT-ID; empty: left out
	Name                        string // what hls.js shows in its level menu; not in the standard
}

// multivariantVersion is what gives EXT-X-MAP in the media playlists a meaning; nothing here needs more.
const multivariantVersion = 6

// Append writes the playlist's text to the end of dst and returns the extended slice. What strings may
// hold is as for Media.Append.
func (m *Multivariant) Append(dst []byte) []byte {
	dst = append(dst, "#EXTM3U\n#EXT-X-VERSION:"...)
	dst = appendIntLine(dst, multivariantVersion)
	if m.IndependentSegments {
		dst = append(dst, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	}
	for _, d := range m.SessionData {
		dst = append(dst, `#EXT-X-SESSION-DATA:DATA-ID="`...)
		dst = appendText(dst, d.Name)
		dst = append(dst, `",URI="`...)
		dst = appendURI(dst, d.Value)
		dst = append(dst, "\"\n"...)
	}
	for i := range m.Audio {
		dst = m.Audio[i].append(dst)
	}
	for i := range m.Variants {
		v := &m.Variants[i]
		dst = v.append(append(dst, "#EXT-X-STREAM-INF:"...))
		dst = v.appendTail(dst, m.NoCaptions)
	}
	for i := range m.IFrames {
		v := m.IFrames[i]
		v.FrameRate = 0
		dst = v.append(append(dst, "#EXT-X-I-FRAME-STREAM-INF:"...))
		dst = append(dst, `,URI="`...)
		dst = appendURI(dst, v.URI)
		dst = append(dst, "\"\n"...)
	}
	return dst
}

func (a *AudioRendition) append(dst []byte) []byte {
	dst = append(dst, `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="`...)
	dst = appendText(dst, a.Group)
	dst = append(dst, `",NAME="`...)
	dst = appendText(dst, a.Name)
	dst = append(dst, '"')
	if a.Language != "" {
		dst = append(dst, `,LANGUAGE="`...)
		dst = appendText(dst, a.Language)
		dst = append(dst, '"')
	}
	if a.Default {
		dst = append(dst, ",DEFAULT=YES"...)
	}
	if a.Default || a.AutoSelect {
		dst = append(dst, ",AUTOSELECT=YES"...)
	}
	if a.Channels > 0 {
		dst = append(dst, `,CHANNELS="`...)
		dst = strconv.AppendInt(dst, int64(a.Channels), 10)
		dst = append(dst, '"')
	}
	if a.StableID != "" {
		dst = append(dst, `,STABLE-RENDITION-ID="`...)
		dst = appendText(dst, a.StableID)
		dst = append(dst, '"')
	}
	if a.URI != "" {
		dst = append(dst, `,URI="`...)
		dst = appendURI(dst, a.URI)
		dst = append(dst, '"')
	}
	return append(dst, '\n')
}

// append writes the attributes that all variants have.
func (v *Variant) append(dst []byte) []byte {
	dst = append(dst, "BANDWIDTH="...)
	dst = strconv.AppendInt(dst, int64(v.Bandwidth), 10)
	if v.AverageBandwidth > 0 {
		dst = append(dst, ",AVERAGE-BANDWIDTH="...)
		dst = strconv.AppendInt(dst, int64(v.AverageBandwidth), 10)
	}
	if len(v.Codecs) > 0 {
		dst = append(dst, `,CODECS="`...)
		for i, c := range v.Codecs {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendText(dst, c)
		}
		dst = append(dst, '"')
	}
	if v.Width > 0 && v.Height > 0 {
		dst = append(dst, ",RESOLUTION="...)
		dst = strconv.AppendInt(dst, int64(v.Width), 10)
		dst = append(dst, 'x')
		dst = strconv.AppendInt(dst, int64(v.Height), 10)
	}
	if v.FrameRate > 0 && !math.IsInf(v.FrameRate, 0) {
		dst = append(dst, ",FRAME-RATE="...)
		dst = strconv.AppendFloat(dst, v.FrameRate, 'f', 3, 64)
	}
	switch v.VideoRange {
	case "SDR", "PQ", "HLG":
		dst = append(dst, ",VIDEO-RANGE="...)
		dst = append(dst, v.VideoRange...)
	}
	if v.Score > 0 && !math.IsInf(v.Score, 0) {
		dst = append(dst, ",SCORE="...)
		dst = strconv.AppendFloat(dst, v.Score, 'f', 3, 64)
	}
	if v.StableID != "" {
		dst = append(dst, `,STABLE-VARIANT-ID="`...)
		dst = appendText(dst, v.StableID)
		dst = append(dst, '"')
	}
	return dst
}

// appendTail writes what only EXT-X-STREAM-INF has.
func (v *Variant) appendTail(dst []byte, noCaptions bool) []byte {
	if v.AudioGroup != "" {
		dst = append(dst, `,AUDIO="`...)
		dst = appendText(dst, v.AudioGroup)
		dst = append(dst, '"')
	}
	if v.Name != "" {
		dst = append(dst, `,NAME="`...)
		dst = appendText(dst, v.Name)
		dst = append(dst, '"')
	}
	if noCaptions {
		dst = append(dst, ",CLOSED-CAPTIONS=NONE"...)
	}
	dst = append(dst, '\n')
	dst = appendURILine(dst, v.URI)
	return append(dst, '\n')
}
