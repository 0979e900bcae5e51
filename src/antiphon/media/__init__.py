"""Reading of media files: probing, decoding, cropping, and simple measures of video and audio."""
