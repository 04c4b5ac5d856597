ffmpeg -v error -f lavfi -i testsrc=size=160x120:rate=10:duration=2 -f lavfi -i sine=frequency=440:duration=2 -c:v mpeg4 -q:v 5 -c:a aac -threads 2 clip.mp4 < /dev/null
answer streams 'mpeg4,aac' "$(ffprobe -v error -show_entries stream=codec_name -of csv=p=0 clip.mp4 | paste -sd,)"
answer frames 20 "$(ffprobe -v error -count_frames -select_streams v -show_entries stream=nb_read_frames -of csv=p=0 clip.mp4)"
ffmpeg -v error -i clip.mp4 -vf scale=80:60 -c:v libx264 -preset ultrafast -threads 2 -an out.mkv < /dev/null
ffmpeg -v error -i out.mkv -frames:v 3 f%d.png < /dev/null; ls f*.png | wc -l
ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=5:duration=1 -f rawvideo -pix_fmt rgb24 - < /dev/null | md5sum
ffmpeg -v error -f lavfi -i sine=frequency=1000:duration=1 -f s16le - < /dev/null | ffmpeg -v error -f s16le -ar 44100 -ac 1 -i - -c:a flac -y a.flac < /dev/stdin && ffprobe -v error -show_entries format=duration -of csv=p=0 a.flac
