package flv

import (
	"bytes"

	"pushcart/media"
)

// Frame types, the upper half of a video message's first byte.
const (
	frameKey       = 1
	frameGenerated = 4 // a keyframe that a server made
	frameCommand   = 5 // no picture: a hint for seeking
)

// The old codec numbers that the house carries, and the mark of Enhanced RTMP's audio.
const (
	oldAVC        = 7
	oldHEVC       = 12 // never standardised; encoders of Chinese make and old ffmpeg patches send it
	oldPCM        = 0
	oldMP3        = 2
	oldPCM16      = 3 // little-endian, if it has 16 bits
	oldPCMA       = 7
	oldPCMU       = 8
	soundExHeader = 9
	oldAAC        = 10
	oldMP3At8000  = 14
)

// soundRates are what the two bits of SoundRate mean: the lowest stands for all others, too. G.711 has one of its own.
var soundRates = [4]int{5512, 11025, 22050, 44100}

const g711Rate = 8000

// Packet types of old AVC and AAC messages.
const (
	oldSequenceHeader = 0
	oldFrame          = 1
)

// AppendVideo appends the packets of a video message to dst and returns it. After an error dst may
// hold packets that came before the fault. An empty message has none and is no error: some encoders
// begin with one.
func AppendVideo(dst []Packet, data []byte) ([]Packet, error) {
	if len(data) == 0 {
		return dst, nil
	}
	r := &reader{data: data, ok: true}
	first := uint8(r.uint(1))
	frameType := first >> 4 & 7
	p := Packet{Kind: media.KindVideo, Keyframe: frameType == frameKey || frameType == frameGenerated}
	if first&0x80 != 0 {
		if frameType == frameCommand {
			return dst, nil
		}
		return exPackets(dst, r, p, first&0x0F)
	}
	if frameType == frameCommand {
		return dst, nil
	}
	switch first & 0x0F {
	case oldAVC:
		p.Codec = AVC
	case oldHEVC:
		p.Codec = HEVC
	default:
		p.Type, p.Codec, p.Data = Frame, oldVideo+Codec(first&0x0F), r.data
		return append(dst, p), nil
	}
	packetType := r.uint(1)
	composition := r.take(3)
	if !r.ok {
		return dst, errShort
	}
	switch packetType {
	case oldSequenceHeader:
		p.Type = Config
	case oldFrame:
		if len(r.data) == 0 {
			return dst, nil
		}
		p.Type, p.CompositionTime = Frame, int24(composition)
	default: // the end of the sequence
		return dst, nil
	}
	p.Data = r.data
	return append(dst, p), nil
}

// AppendAudio appends the packets of an audio message to dst and returns it, as AppendVideo does.
func AppendAudio(dst []Packet, data []byte) ([]Packet, error) {
	if len(data) == 0 {
		return dst, nil
	}
	r := &reader{data: data, ok: true}
	first := uint8(r.uint(1))
	p := Packet{Kind: media.KindAudio, Keyframe: true}
	start := len(dst)
	switch first >> 4 {
	case soundExHeader:
		dst, err := exPackets(dst, r, p, first&0x0F)
		for i := start; i < len(dst); i++ {
			if dst[i].Type == Config && dst[i].Codec == Opus {
				dst[i].Data = opusHead(dst[i].Data)
			}
		}
		return dst, err
	case oldAAC:
		p.Codec = AAC
	default:
		oldSound(&p, first)
		if p.Type, p.Data = Frame, r.data; len(p.Data) == 0 && p.Codec.Media() != "" {
			return dst, nil
		}
		return append(dst, p), nil
	}
	packetType := r.uint(1)
	if !r.ok {
		return dst, errShort
	}
	switch {
	case packetType == oldSequenceHeader:
		p.Type = Config
	case packetType == oldFrame && len(r.data) > 0:
		p.Type = Frame
	default:
		return dst, nil
	}
	p.Data = r.data
	return append(dst, p), nil
}

// oldSound reads the first byte of a message whose codec has no configuration.
func oldSound(p *Packet, first uint8) {
	const stereo, bits16 = 0x01, 0x02
	p.SampleRate, p.Channels = soundRates[first>>2&3], 1+int(first&stereo)
	switch format := first >> 4; format {
	case oldMP3, oldMP3At8000:
		p.Codec = MP3
	case oldPCMA, oldPCMU:
		p.Codec, p.SampleRate = oldAudio+Codec(format), g711Rate
	case oldPCM16:
		p.Codec = PCM
		if first&bits16 == 0 {
			p.Codec = oldAudio + oldPCM
		}
	default:
		p.Codec = oldAudio + Codec(format)
	}
}

// opusHead brings an Opus sequence start into the form that media.CodecOpus prescribes: without the
// magic, and with the default of Enhanced RTMP, one stereo stream, in place of nothing.
func opusHead(b []byte) []byte {
	if len(b) == 0 {
		return []byte{1, 2, 0, 0, 0x80, 0xBB, 0, 0, 0, 0, 0} // version, channels, pre-skip, 48000, gain, family
	}
	return bytes.TrimPrefix(b, []byte("OpusHead"))
}
