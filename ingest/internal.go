package ingest

import (
	"fmt"

	"pushcart/media"
)

// internal reports whether t is only good for making other tracks of it: sound in a codec that HLS can't carry, and
// a voice that is to be mixed with the show's own sound. The error, a part of a sentence, says why it is of no use at all.
func (s *Session) internal(t media.Track) (bool, error) {
	name, voice := s.pub.Stream().Name(), s.part.language != ""
	mixes := voice && s.sound.Ducking > 0 && s.mixer != nil && s.mixer.Mixes(name)
	if !t.Codec.ForTranscoding() {
		return mixes && t.Kind() == media.KindAudio, nil
	}
	switch {
	case mixes, s.sound.Converts() && (s.mixer == nil || s.mixer.Converts(name)):
		return true, nil
	case !s.sound.Converts():
		return false, fmt.Errorf("its codec, %s, can't be carried, and the server is told not to convert it (sound.convert): set the audio codec to AAC (or Opus)", codecNames[t.Codec])
	}
	return false, fmt.Errorf("its codec, %s, can't be carried, and the server has no ffmpeg to convert it: set the audio codec to AAC (or Opus)", codecNames[t.Codec])
}

// codecNames are what people call the codecs for transcoding.
var codecNames = map[media.Codec]string{
	media.CodecPCMA: "G.711 A-law", media.CodecPCMU: "G.711 mu-law", media.CodecL16: "PCM", media.CodecG722: "G.722", media.CodecMP3: "MP3",
}

// warnOfSilence tells the operator of a show that nobody can play: what is made of its sound needs a picture to go with.
func (s *Session) warnOfSilence() {
	for _, t := range s.tracks {
		if k := t.show.Kind(); k == media.KindVideo && !t.dormant || k == media.KindAudio && !t.show.Internal {
			return
		}
	}
	s.pub.Remark("sound", "The show has sound only, in a codec that players can't play: set the encoder's audio codec to AAC (or Opus).")
}
