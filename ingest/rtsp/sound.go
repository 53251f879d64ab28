package rtsp

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"pushcart/ingest/rtsp/rtp"
	"pushcart/ingest/rtsp/sdp"
	"pushcart/media"
)

// readSound reads the format of sound that is only good for a transcoder (RFC 3551 section 4.5).
func (a *audio) readSound(f sdp.Format) string {
	channels := max(f.Channels, 1)
	if channels > math.MaxUint8 { // a configuration has a byte for them
		return fmt.Sprintf("its format has %d channels: set the audio codec to AAC (or Opus)", channels)
	}
	switch f.Encoding {
	case "PCMA":
		a.track.Codec = media.CodecPCMA
	case "PCMU":
		a.track.Codec = media.CodecPCMU
	case "L16":
		a.track.Codec = media.CodecL16
	case "G722":
		// Its clock runs at half the sampling rate, by a mistake in RFC 1890 that nobody may mend any more.
		a.track.Codec, a.track.Timescale = media.CodecG722, 2*a.t.clock.rate
	case "MPA":
		a.track.Codec = media.CodecMP3 // the first frame says whether that is so, and the rest
		return ""
	}
	a.track.Config = []byte{byte(channels)}
	if _, err := media.ParseConfig(a.track); err != nil {
		return "its format is " + err.Error() + ": set the audio codec to AAC (or Opus)"
	}
	return ""
}

// packetwise reports whether each packet stands for itself: a marker, where there is one, is no end but the beginning of
// speech.
func (a *audio) packetwise() bool { return a.opus || a.track.Codec.ForTranscoding() }

// soundUnits takes a packet of such sound apart.
func (a *audio) soundUnits(f rtp.Frame) ([][]byte, error) {
	if a.track.Codec != media.CodecMP3 {
		return media.SplitSound(a.track.Codec, a.format, f.Payloads[0])
	}
	data, err := a.mpeg.Frames(f.Payloads[0], f.AfterGap || f.Restart)
	if err != nil || data == nil || !a.readMP3(data) {
		return nil, err
	}
	return media.SplitSound(media.CodecMP3, a.format, data)
}

// readMP3 takes over what the first of the frames in data says, and announces it if it is news. It reports whether the
// frames can be used.
func (a *audio) readMP3(data []byte) bool {
	h, err := media.ReadMP3(data)
	switch {
	case errors.Is(err, media.ErrUnsupported) && !a.accepted:
		if !a.refused {
			a.refused = true
			a.t.feed.remark("refused audio", "The audio track is left out: its codec can't be carried ("+err.Error()+"): set the audio codec to AAC (or Opus).")
		}
		return false
	case err != nil: // of one frame among others
		a.t.feed.malformed(err)
		return false
	}
	config := []byte{byte(h.Channels)}
	if rate := int64(h.SampleRate); rate != a.track.Timescale || !bytes.Equal(config, a.track.Config) {
		a.track.Timescale, a.track.Config, a.begun = rate, config, false
		a.announce()
	}
	return true
}
