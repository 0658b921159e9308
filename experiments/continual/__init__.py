"""Does an updated adapter adapt like fine-tuning and remember like full retraining?"""
