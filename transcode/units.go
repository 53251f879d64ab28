package transcode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"

	"pushcart/media"
	"pushcart/transcode/nut"
)

// videoTimescale is the timescale of all video behind the doors, and of what ffmpeg is told and tells.
const videoTimescale = 90_000

// errNoConfig is what an unpacker says of a keyframe when it still knows no configuration.
var errNoConfig = errors.New("the encoder has sent no parameter sets")

// unpacker turns an encoder's packets, which are Annex B or OBU streams, into access units in the house's
// form, and its parameter sets into a track.
type unpacker struct {
	codec media.Codec
	sets  *media.Sets // H.264 and HEVC
	track media.Track // Config is nil until it is known
}

// newUnpacker returns one for a stream whose codec is c.
func newUnpacker(c media.Codec, s nut.Stream) *unpacker {
	u := &unpacker{codec: c, track: media.Track{Codec: c, Timescale: videoTimescale}}
	if c == media.CodecAV1 {
		// Encoders give a sequence header OBU, or the whole of an av1C.
		if len(s.Extradata) > 4 && s.Extradata[0] == 0x81 {
			u.track.Config = s.Extradata
		} else {
			u.sequenceHeader(s.Extradata)
		}
		return u
	}
	u.sets = media.NewSets(c)
	for nal := range annexB(s.Extradata) {
		u.sets.Add(nal)
	}
	if config, err := u.sets.Config(nil); err == nil {
		u.track.Config = config
	}
	return u
}

// unit converts a packet. An error is final: what follows could not be decoded.
func (u *unpacker) unit(f nut.Frame) (media.AccessUnit, error) {
	data, err := u.convert(f.Data)
	if err != nil {
		return media.AccessUnit{}, err
	}
	au := media.AccessUnit{DTS: f.PTS, PTS: f.PTS, Data: data} // no B-frames: they are shown as they come
	au.RandomAccess = media.RandomAccess(u.track, data)
	if u.track.Config == nil {
		return media.AccessUnit{}, errNoConfig
	}
	return au, nil
}

func (u *unpacker) convert(data []byte) ([]byte, error) {
	if u.codec == media.CodecAV1 {
		if u.track.Config == nil {
			u.sequenceHeader(data)
		}
		return media.StripInBand(u.track, data), nil
	}
	return u.lengthPrefixed(data)
}

// lengthPrefixed puts a length of four bytes in front of each NAL unit, and takes parameter sets out, which
// have to be those of the configuration.
func (u *unpacker) lengthPrefixed(data []byte) ([]byte, error) {
	out := make([]byte, 0, len(data)+16)
	changed := false
	for nal := range annexB(data) {
		if isSet, news := u.sets.Add(nal); isSet {
			changed = changed || news
			continue
		}
		out = binary.BigEndian.AppendUint32(out, uint32(len(nal)))
		out = append(out, nal...)
	}
	if changed {
		config, err := u.sets.Config(nil)
		switch {
		case err != nil:
			return nil, fmt.Errorf("parameter sets in the stream: %w", err)
		case u.track.Config == nil:
			u.track.Config = config
		case !bytes.Equal(config, u.track.Config):
			return nil, errors.New("the encoder has changed its parameter sets")
		}
	}
	return media.StripInBand(u.track, out), nil // delimiters
}

// sequenceHeader takes the configuration from a sequence header OBU, if there is one in data.
func (u *unpacker) sequenceHeader(data []byte) {
	var obus av1.Bitstream
	if obus.Unmarshal(data) != nil {
		return
	}
	for _, obu := range obus {
		const hasExtension = 0x04
		if len(obu) < 2 || av1.OBUType(obu[0]>>3&15) != av1.OBUTypeSequenceHeader || obu[0]&hasExtension != 0 {
			continue
		}
		if config, err := media.AV1Config(obu[1:]); err == nil {
			u.track.Config = config
		}
		return
	}
}

// annexB iterates over the NAL units of a byte stream (ISO/IEC 14496-10 annex B). What it yields points into
// data.
func annexB(data []byte) func(yield func([]byte) bool) {
	startcode := []byte{0, 0, 1}
	return func(yield func([]byte) bool) {
		i := bytes.Index(data, startcode)
		for i >= 0 {
			rest := data[i+3:]
			next := bytes.Index(rest, startcode)
			nal := rest
			if next >= 0 {
				nal = rest[:next]
			}
			// Zeros in front of a startcode belong to it: a NAL unit does not end with one.
			nal = bytes.TrimRight(nal, "\x00")
			if len(nal) > 0 && !yield(nal) {
				return
			}
			data, i = rest, next
		}
	}
}
