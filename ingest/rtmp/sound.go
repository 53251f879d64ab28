package rtmp

import (
	"bytes"
	"errors"

	"pushcart/ingest/rtmp/flv"
	"pushcart/media"
)

// sound takes a message of sound that only a transcoder can use: G.711, PCM, MP3. Such codecs have no configuration; each
// message says what it is.
func (f *feed) sound(t *track, time int64, p flv.Packet) error {
	if p.Type != flv.Frame {
		return nil // MP3 in Enhanced RTMP may begin with an empty configuration
	}
	as, err := f.describeSound(p)
	switch {
	case errors.Is(err, media.ErrUnsupported) && !(t.accepted && t.Codec == p.Codec.Media()):
		f.refuse(t, err.Error()+": set the encoder to "+choices(media.KindAudio))
		return nil
	case err != nil: // of one frame among others
		f.complain(t, err)
		return nil
	}
	if t.Codec != as.Codec || t.Timescale != as.Timescale || !bytes.Equal(t.Config, as.Config) {
		t.Codec, t.Timescale, t.Config = as.Codec, as.Timescale, as.Config
		if t.format, err = media.ParseConfig(t.Track); err != nil {
			f.refuse(t, err.Error())
			return nil
		}
		f.meta.describe(t)
		f.announce(t)
	}
	if !t.accepted {
		return nil
	}
	if p.Codec == flv.PCM {
		p.Data = bigEndian(p.Data)
	}
	units, err := media.SplitSound(t.Codec, t.format, p.Data)
	if err != nil {
		f.complain(t, err)
	}
	at := media.Rescale(time, timescale, t.Timescale)
	for _, unit := range units {
		t.written = true
		if err := f.pub.Write(media.AccessUnit{Track: t.ID, DTS: at, PTS: at, RandomAccess: true, Data: unit}); err != nil {
			return err
		}
		at += media.UnitSamples(t.Codec, t.format, unit)
	}
	return nil
}

// describeSound returns what the message says of its track: codec, sampling rate and channels.
func (f *feed) describeSound(p flv.Packet) (media.Track, error) {
	rate, channels := p.SampleRate, p.Channels
	switch p.Codec {
	case flv.MP3:
		h, err := media.ReadMP3(p.Data)
		if err != nil {
			return media.Track{}, err
		}
		rate, channels = h.SampleRate, h.Channels
	case flv.PCM:
		// FLV's lowest rate stands for those that it has no number for. ffmpeg names them in its metadata.
		const lowest = 5512
		if declared := f.meta.object.Number("audiosamplerate"); rate == lowest && (declared == 8000 || declared == 16000) {
			rate = int(declared)
		}
	}
	return media.Track{Codec: p.Codec.Media(), Timescale: int64(rate), Config: []byte{byte(channels)}}, nil
}

// bigEndian returns b, samples of 16 bits, with the bytes of each swapped.
func bigEndian(b []byte) []byte {
	swapped := make([]byte, len(b)&^1)
	for i := 0; i < len(swapped); i += 2 {
		swapped[i], swapped[i+1] = b[i+1], b[i]
	}
	return swapped
}
